// The languages that code is coloured in. Fetched when the first code appears.
import bash from 'highlight.js/lib/languages/bash';
import c from 'highlight.js/lib/languages/c';
import cpp from 'highlight.js/lib/languages/cpp';
import csharp from 'highlight.js/lib/languages/csharp';
import css from 'highlight.js/lib/languages/css';
import diff from 'highlight.js/lib/languages/diff';
import go from 'highlight.js/lib/languages/go';
import java from 'highlight.js/lib/languages/java';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import markdown from 'highlight.js/lib/languages/markdown';
import php from 'highlight.js/lib/languages/php';
import python from 'highlight.js/lib/languages/python';
import rust from 'highlight.js/lib/languages/rust';
import sql from 'highlight.js/lib/languages/sql';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import yaml from 'highlight.js/lib/languages/yaml';
import { createLowlight } from 'lowlight';
import type { ComponentChild } from 'preact';

type Tree = ReturnType<ReturnType<typeof createLowlight>['highlight']>;

const deepest = 60; // elements; what is deeper stays text

const languages = createLowlight({
  bash, c, cpp, csharp, css, diff, go, java, javascript, json, markdown, php, python, rust, sql, typescript, xml, yaml,
});

function text_of(node: Tree['children'][number]): string {
  if (node.type === 'text') return node.value;
  return 'children' in node ? node.children.map(text_of).join('') : '';
}

function draw(node: Tree['children'][number], depth: number): ComponentChild {
  if (node.type === 'text') return node.value;
  if (node.type !== 'element') return null;
  if (depth > deepest) return text_of(node);
  const names = node.properties['className'];
  return <span class={Array.isArray(names) ? names.join(' ') : undefined}>{node.children.map((child) => draw(child, depth + 1))}</span>;
}

/// Plain text where the language is not among them.
export function highlight(language: string, text: string): ComponentChild {
  if (!languages.registered(language)) return text;
  return languages.highlight(language, text).children.map((node) => draw(node, 0));
}
