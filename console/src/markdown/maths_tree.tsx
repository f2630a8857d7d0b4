// TeX into MathML elements, by temml's tree: its nodes are drawn one by one from lists of what may stand there, so neither its
// HTML nor its style attributes are used (the content policy forbids both). Fetched when the first formula appears.
import temml from 'temml';
import 'temml/dist/Temml-Local.css';
import { type ComponentChild, h } from 'preact';

interface TreeNode {
  type?: string;
  text?: string;
  children?: TreeNode[];
  attributes?: Record<string, unknown>;
  classes?: string[];
  style?: Record<string, unknown>;
}

const deepest = 80; // elements
const most = 4_000; // elements of one formula

const elements = new Set(
  ('math mi mn mo ms mspace mtext menclose merror mfenced mfrac mpadded mphantom mroot mrow msqrt mstyle mmultiscripts mover ' +
    'mprescripts msub msubsup msup munder munderover mtable mtd mtr mlabeledtr none semantics').split(' '),
);
const attributes = new Set(
  ('display displaystyle scriptlevel mathvariant mathcolor mathbackground mathsize stretchy fence separator lspace rspace ' +
    'minsize maxsize symmetric largeop movablelimits accent accentunder linethickness width height depth voffset columnalign ' +
    'rowalign rowspacing columnspacing columnlines rowlines frame columnspan rowspan notation form numalign denomalign').split(' '),
);
const styles =
  /^(?:color|background-?color|padding(?:-?(?:left|right|top|bottom))?|margin(?:-?(?:left|right|top|bottom))?|border(?:-?(?:left|right|top|bottom|color|width|style))?|width|height|display|vertical-?align|text-?align|font-?(?:size|weight|style|family)|math-?(?:depth|style|shift)|white-?space|line-?height)$/i;
const style_value = /^(?!.*(?:url|image|var|expression))[\w#%.,() +-]*$/i;

class TooLarge extends Error {}

function safe_style(style: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(style)
      .map(([name, value]) => [name, String(value)] as const)
      .filter(([name, value]) => styles.test(name) && style_value.test(value)),
  );
}

function props_of(node: TreeNode): Record<string, unknown> {
  const props: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(node.attributes ?? {})) {
    if (attributes.has(name) && /^[\w#%.,+ -]*$/.test(String(value))) props[name] = String(value);
  }
  const classes = (node.classes ?? []).filter((one) => /^[\w-]+$/.test(one));
  if (classes.length > 0) props['class'] = classes.join(' ');
  const style = safe_style(node.style ?? {});
  if (Object.keys(style).length > 0) props['style'] = style;
  return props;
}

function draw(node: TreeNode, depth: number, count: { left: number }): ComponentChild {
  if (typeof node.text === 'string') return node.text;
  if (depth > deepest || (count.left -= 1) < 0) throw new TooLarge();
  const children = (node.children ?? []).map((child) => draw(child, depth + 1, count));
  if (!node.type) return children; // a fragment, or an element of HTML: what it holds
  return h(elements.has(node.type) ? node.type : 'mrow', props_of(node), children);
}

/// Null where the TeX is wrong or too much.
export function draw_maths(tex: string, display: boolean): ComponentChild | null {
  try {
    const tree = temml.__renderToMathMLTree(tex, {
      displayMode: display,
      throwOnError: true,
      trust: false,
      strict: false,
      maxSize: [40, 40],
      maxExpand: 300,
    }) as TreeNode;
    return draw(tree, 0, { left: most });
  } catch {
    return null;
  }
}
