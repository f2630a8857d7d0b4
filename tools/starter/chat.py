"""The chat format: the Jinja template that goes into the GGUF, and the same thing in Python.

render() must give exactly what the template gives; tests/ and verify.py compare the two.
"""
import json

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
USER_DEFINED = ["<tool_call>", "</tool_call>"]

TOOLS_HEAD = ('You can call these functions. To call one, answer with <tool_call>\n{"name": ..., "arguments": {...}}\n</tool_call>\n'
              "Functions:")

TEMPLATE = r"""
{%- set ns = namespace(first=0) -%}
{%- set head = '' -%}
{%- if messages and messages[0].role == 'system' -%}
    {%- set head = messages[0].content -%}
    {%- set ns.first = 1 -%}
{%- endif -%}
{%- if tools -%}
    {{- '<|im_start|>system\n' -}}
    {%- if head -%}{{- head + '\n' -}}{%- endif -%}
    {{- '@TOOLS_HEAD@' -}}
    {%- for tool in tools -%}
        {%- set f = tool.function if tool.function is defined else tool -%}
        {{- '\n- ' + f.name + '(' -}}
        {%- if f.parameters is defined and f.parameters.properties is defined -%}
            {%- for name, spec in f.parameters.properties.items() -%}
                {{- name -}}
                {%- if spec.enum is defined -%}
                    {{- ': ' + (spec.enum | join('|')) -}}
                {%- elif spec.type is defined and spec.type is string -%}
                    {{- ': ' + spec.type -}}
                {%- endif -%}
                {%- if not loop.last -%}{{- ', ' -}}{%- endif -%}
            {%- endfor -%}
        {%- endif -%}
        {{- ')' -}}
        {%- if f.description is defined and f.description -%}{{- ' ' + f.description -}}{%- endif -%}
    {%- endfor -%}
    {{- '<|im_end|>\n' -}}
{%- elif head -%}
    {{- '<|im_start|>system\n' + head + '<|im_end|>\n' -}}
{%- endif -%}
{%- for message in messages -%}
    {%- if loop.index0 >= ns.first -%}
        {{- '<|im_start|>' + message.role + '\n' -}}
        {%- if message.content -%}{{- message.content -}}{%- endif -%}
        {%- if message.tool_calls -%}
            {%- for call in message.tool_calls -%}
                {%- set c = call.function if call.function is defined else call -%}
                {%- if message.content or not loop.first -%}{{- '\n' -}}{%- endif -%}
                {{- '<tool_call>\n{"name": "' + c.name + '", "arguments": ' -}}
                {%- if c.arguments is string -%}{{- c.arguments -}}{%- else -%}{{- c.arguments | tojson -}}{%- endif -%}
                {{- '}\n</tool_call>' -}}
            {%- endfor -%}
        {%- endif -%}
        {{- '<|im_end|>\n' -}}
    {%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
""".strip().replace("@TOOLS_HEAD@", TOOLS_HEAD.replace("\n", "\\n"))


def tools_text(tools):
    lines = [TOOLS_HEAD]
    for t in tools:
        f = t.get("function", t)
        args = []
        for name, spec in f.get("parameters", {}).get("properties", {}).items():
            kind = "|".join(spec["enum"]) if "enum" in spec else spec.get("type")
            args.append(f"{name}: {kind}" if isinstance(kind, str) else name)
        text = f" {f['description']}" if f.get("description") else ""
        lines.append(f"- {f['name']}({', '.join(args)}){text}")
    return "\n".join(lines)


def render(messages, tools=None, prompt=False):
    """-> [(text, trained)]: pieces of the conversation and whether the model learns to write them."""
    out = []
    messages = list(messages)
    head = messages.pop(0)["content"] if messages and messages[0]["role"] == "system" else ""
    if tools:
        head = (head + "\n" if head else "") + tools_text(tools)
    if head:
        out.append((f"<|im_start|>system\n{head}<|im_end|>\n", False))
    for m in messages:
        out.append((f"<|im_start|>{m['role']}\n", False))
        body = m.get("content") or ""
        for call in m.get("tool_calls") or []:
            f = call["function"]
            args = f["arguments"] if isinstance(f["arguments"], str) else json.dumps(f["arguments"], ensure_ascii=False)
            body += ("\n" if body else "") + f'<tool_call>\n{{"name": "{f["name"]}", "arguments": {args}}}\n</tool_call>'
        out.append((body + "<|im_end|>", m["role"] == "assistant"))
        out.append(("\n", False))
    if prompt:
        out.append(("<|im_start|>assistant\n", False))
    return out
