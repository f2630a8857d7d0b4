// A QR code (ISO/IEC 18004) as one path. Black on white in both themes: readers want dark modules on light ground.
import { useMemo } from 'preact/hooks';
import { encode } from 'uqr';

const quiet_zone = 4; // modules, as the standard wants it

export function qr_path(rows: boolean[][]): string {
  let path = '';
  rows.forEach((row, y) =>
    row.forEach((dark, x) => {
      if (!dark || row[x - 1]) return;
      let end = x + 1;
      while (row[end]) end += 1;
      path += `M${x} ${y}h${end - x}v1h${x - end}z`;
    }),
  );
  return path;
}

export function QrCode({ text, label }: { text: string; label: string }) {
  const { size, path } = useMemo(() => {
    const { size, data } = encode(text, { ecc: 'L', border: quiet_zone });
    return { size, path: qr_path(data) };
  }, [text]);
  return (
    <svg class="qr" role="img" aria-label={label} viewBox={`0 0 ${size} ${size}`} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  );
}
