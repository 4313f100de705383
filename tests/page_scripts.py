"""What is asked of a page in a browser: scripts that return what is wrong, or plain values."""

from __future__ import annotations

__all__ = ["CONTRAST", "HIDDEN", "INJECT", "LETTERS", "LINES", "OPEN_ALL", "OUTLINE", "OVERFLOW"]

OPEN_ALL = "document.querySelectorAll('details').forEach(e => e.open = true)"

# Text whose colour is too near to what it stands on (WCAG 2.2, 1.4.3), and lines of figures
# (1.4.11). Translucent backgrounds are laid over those behind them.
CONTRAST = """
const numbers = c => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
const over = (top, below) => {
  const a = top.length > 3 ? top[3] : 1;
  return [0, 1, 2].map(i => a * top[i] + (1 - a) * below[i]);
};
const light = c => {
  const linear = v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4;
  const [r, g, b] = c.map(v => linear(v / 255));
  return .2126 * r + .7152 * g + .0722 * b;
};
const ratio = (a, b) => {
  const [x, y] = [light(a), light(b)].sort((m, n) => n - m);
  return (x + .05) / (y + .05);
};
const ground = e => e === null ? [255, 255, 255]
  : over(numbers(getComputedStyle(e).backgroundColor), ground(e.parentElement));
const bad = [];
const check = (element, colour, least, what) => {
  const below = ground(element), found = ratio(over(numbers(colour), below), below);
  if (found < least) bad.push(`${what}: ${found.toFixed(2)}`);
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
let texts = 0;
while (walker.nextNode()) {
  const text = walker.currentNode.data.trim(), parent = walker.currentNode.parentElement;
  if (!text || !parent.checkVisibility() || parent.closest('title')) continue;
  const style = getComputedStyle(parent), drawn = parent.closest('svg');
  check(parent, drawn ? style.fill : style.color, 4.5, text.slice(0, 40));
  texts += 1;
}
for (const shape of document.querySelectorAll('svg path, svg use')) {
  if (shape.closest('defs, clipPath')) continue;
  const style = getComputedStyle(shape);
  for (const side of ['stroke', 'fill']) {
    const seen = style[side] !== 'none' && style.opacity === '1' && style[`${side}Opacity`] === '1';
    if (seen && shape.style[side]) check(shape, style[side], 3, `${side} ${style[side]}`);
  }
}
return [texts, [...new Set(bad)]];
"""

# Elements that nobody can see
HIDDEN = """
const kinds = 'h1, h2, h3, p, figure, svg, figcaption, table, caption, th, td, summary';
return [...document.querySelectorAll(kinds)]
  .filter(e => { const box = e.getBoundingClientRect(); return box.width < 1 || box.height < 1; })
  .map(e => e.outerHTML.slice(0, 100));
"""

# The page's width, and what sticks out of it without a container of its own that scrolls
OVERFLOW = """
const width = document.documentElement.clientWidth;
const held = e => e && (getComputedStyle(e).overflowX === 'auto' || held(e.parentElement));
return [document.documentElement.scrollWidth - width,
  [...document.querySelectorAll('body *')].filter(e => e.checkVisibility() && !held(e.parentElement)
    && e.getBoundingClientRect().right > width + 1).map(e => e.outerHTML.slice(0, 100))];
"""

# What a screen reader goes by
OUTLINE = """
const all = (kind, wrong) => [...document.querySelectorAll(kind)].filter(wrong).length;
const named = e => e.getAttribute('role') === 'img'
  && (e.getAttribute('aria-label') || e.querySelector(':scope > title')?.textContent);
return {
  language: document.documentElement.lang,
  levels: [...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map(e => +e.tagName[1]),
  figures: document.querySelectorAll('figure').length,
  tables: document.querySelectorAll('table').length,
  details: document.querySelectorAll('details').length,
  anchors: [...document.querySelectorAll('nav a')].map(e => e.getAttribute('href')),
  ids: [...document.querySelectorAll('[id]')].map(e => e.id),
  unnamed: all('svg', e => !named(e)),
  bare: all('table', e => !e.caption?.textContent.trim()),
  unscoped: all('th', e => !e.scope),
};
"""

# Height in pixels of the smallest text in the figures of a section
LETTERS = """
const scale = e => Math.hypot(e.getScreenCTM().a, e.getScreenCTM().b);
return Math.min(...[...document.querySelectorAll(`${arguments[0]} svg text`)].map(
  e => scale(e) * parseFloat(getComputedStyle(e).fontSize)));
"""

# How many lines each cell with a given text takes
LINES = """
const cells = [...document.querySelectorAll('td, th')];
return cells.filter(e => e.textContent === arguments[0]).map(e => {
  const text = document.createRange();
  text.selectNodeContents(e);
  return text.getClientRects().length;
});
"""

# Everything that a hostile name could try, had it got into the page as markup; the argument is an
# address. (For a frame and a form the browser opens a connection before the policy refuses them,
# and sends nothing on it.)
INJECT = """
const address = arguments[0], done = arguments[1];
const add = (name, set) => {
  try {
    document.body.append(Object.assign(document.createElement(name), set));
  } catch (error) { /* a policy may refuse to make it */ }
};
add('script', {textContent: 'window.ran = true'});
add('script', {src: address + 'script'});
add('img', {src: address + 'image'});
add('iframe', {src: address + 'frame'});
add('link', {rel: 'stylesheet', href: address + 'style'});
add('video', {src: address + 'video'});
add('form', {action: address + 'form', id: 'sent'});
add('style', {textContent: `body { background-image: url(${address}background) }`});
add('div', {innerHTML: '<b onclick="window.ran = true" id="pressed">x</b>'});
fetch(address + 'fetch').catch(() => 0);
navigator.sendBeacon(address + 'beacon');
document.getElementById('pressed')?.click();
document.getElementById('sent').submit();
setTimeout(() => done(window.ran === true), 400);
"""
