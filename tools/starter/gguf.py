"""GGUF version 3, as much as the starter needs: write metadata and tensors, read them back.

Standard library only. Arrays are typed by their first element; integers are uint32.
"""
import struct

MAGIC, VERSION, ALIGNMENT = b"GGUF", 3, 32
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9
F32, F16, Q8_0 = 0, 1, 8
SIZES = {F32: (1, 4), F16: (1, 2), Q8_0: (32, 34)}  # elements and bytes of a block


def _string(text):
    raw = text.encode("utf-8")
    return struct.pack("<Q", len(raw)) + raw


def _type(value):
    if isinstance(value, bool):
        return BOOL
    return {int: UINT32, float: FLOAT32, str: STRING, list: ARRAY}[type(value)]


def _value(value, kind):
    if kind == ARRAY:
        inner = INT32 if isinstance(value[0], int) else _type(value[0])
        return struct.pack("<IQ", inner, len(value)) + b"".join(_value(v, inner) for v in value)
    if kind == STRING:
        return _string(value)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind], value)


def _pad(n):
    return -n % ALIGNMENT


def write(path, metadata, tensors):
    """metadata: {key: value}; tensors: [(name, shape with the row length first, type, bytes)]."""
    head = [MAGIC, struct.pack("<IQQ", VERSION, len(tensors), len(metadata))]
    for key, value in metadata.items():
        kind = _type(value)
        head += [_string(key), struct.pack("<I", kind), _value(value, kind)]
    offset = 0
    for name, shape, kind, data in tensors:
        head += [_string(name), struct.pack("<I", len(shape)), struct.pack(f"<{len(shape)}Q", *shape), struct.pack("<IQ", kind, offset)]
        offset += len(data) + _pad(len(data))
    head = b"".join(head)
    with open(path, "wb") as f:
        f.write(head + bytes(_pad(len(head))))
        for _, _, _, data in tensors:
            f.write(data + bytes(_pad(len(data))))


def read(path):
    """-> metadata, {name: (shape, type, bytes)}."""
    with open(path, "rb") as f:
        raw = f.read()
    at = 0

    def take(fmt):
        nonlocal at
        out = struct.unpack_from(fmt, raw, at)
        at += struct.calcsize(fmt)
        return out[0] if len(out) == 1 else out

    def text():
        nonlocal at
        n = take("<Q")
        at += n
        return raw[at - n:at].decode("utf-8")

    def value(kind):
        if kind == ARRAY:
            inner, n = take("<IQ")
            return [value(inner) for _ in range(n)]
        if kind == STRING:
            return text()
        return take({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind])

    magic, version, n_tensors, n_meta = take("<4sIQQ")
    if magic != MAGIC or version != VERSION:
        raise ValueError(f"{path}: not a GGUF version {VERSION}")
    metadata = {}
    for _ in range(n_meta):
        key = text()
        metadata[key] = value(take("<I"))
    infos = []
    for _ in range(n_tensors):
        name, dims = text(), take("<I")
        shape = [take("<Q") for _ in range(dims)]
        infos.append((name, shape, *take("<IQ")))
    base = at + _pad(at)
    tensors = {}
    for name, shape, kind, offset in infos:
        n = 1
        for d in shape:
            n *= d
        block, size = SIZES[kind]
        tensors[name] = (shape, kind, raw[base + offset:base + offset + n // block * size])
    return metadata, tensors
