/* The keyboard. One table gives the keys, what they do and what the overlay says of them. */

const KEYS = [
  ['Sentences', [
    [['ArrowDown', 'j'], '↓ j', 'next sentence', (desk) => desk.step(1)],
    [['ArrowUp', 'k'], '↑ k', 'previous sentence', (desk) => desk.step(-1)],
    [['Enter'], 'Enter', 'all is right: on to the next one not reviewed', (desk) => desk.finish()],
    [['c'], 'c', 'with the sentences before and after', (desk) => desk.turnAround()],
    [['r'], 'r', 'reviewed, or not after all', (desk) => desk.reopen()],
  ]],
  ['Spans', [
    [['n', '.'], 'n', 'next span', (desk) => desk.span(1)],
    [['p', ','], 'p', 'previous span', (desk) => desk.span(-1)],
    [['a'], 'a', 'accept, and on to the next one', (desk) => desk.accept()],
    [['d', 'Delete', 'Backspace'], 'd Del', 'delete', (desk) => desk.remove()],
    [[], '1 … 9', 'give it this type', null],
    [['t'], 't', 'choose a type from a list', (desk, page) => page.chooseType()],
    [['s'], 's', 'start one token earlier', (desk) => desk.resize('first', -1)],
    [['S'], 'Shift+s', 'start one token later', (desk) => desk.resize('first', 1)],
    [['e'], 'e', 'end one token later', (desk) => desk.resize('last', 1)],
    [['E'], 'Shift+e', 'end one token earlier', (desk) => desk.resize('last', -1)],
  ]],
  ['A new span', [
    [['h'], '← h', 'token to the left', (desk) => desk.move(-1)],
    [['l'], '→ l', 'token to the right', (desk) => desk.move(1)],
    [['H'], 'Shift+←', 'choose to the left', (desk) => desk.move(-1, true)],
    [['L'], 'Shift+→', 'choose to the right', (desk) => desk.move(1, true)],
    [['Home'], 'Home End', 'first and last token', (desk) => desk.put(0)],
    [['End'], '', '', (desk) => desk.put(Infinity)],
    [[], '1 … 9 t', 'make it a span of this type', null],
    [['Escape'], 'Esc', 'choose none', (desk) => desk.put(desk.at)],
  ]],
  ['The page', [
    [['u'], 'u Ctrl+z', 'undo', (desk) => desk.undo()],
    [['U'], 'Shift+u', 'do it again', (desk) => desk.redo()],
    [['/'], '/', 'search', (desk, page) => page.search()],
    [['o'], 'o', 'least certain first, or as in the documents', (desk, page) => page.turnOrder()],
    [['f'], 'f', 'all sentences, or those not reviewed', (desk, page) => page.turnShow()],
    [['x'], 'x', 'export', (desk, page) => page.export()],
    [['?'], '?', 'this overview', (desk, page) => page.help()],
  ]],
];

const ACTIONS = new Map(KEYS.flatMap(([, rows]) =>
  rows.flatMap(([names, , , action]) => names.map((name) => [name, action]))));

/** Do what a key on the sentences means; returns whether it means anything. */
function pressed(event, desk, page) {
  const { key } = event;
  if (event.ctrlKey || event.metaKey) {
    const back = key === 'z' && !event.shiftKey, again = key === 'y' || key === 'Z' || key === 'z';
    if (event.altKey || !(back || again)) return false;
    if (back) desk.undo();
    else desk.redo();
    return true;
  }
  if (event.altKey || desk.number === null) return false;
  if (/^[1-9]$/.test(key)) {
    desk.type(page.state.types[key - 1]);
    return true;
  }
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    // in a text from right to left the next token stands on the left
    const text = page.cards.elements[desk.number].querySelector('.text');
    const forward = (key === 'ArrowRight') === (getComputedStyle(text).direction === 'ltr');
    desk.move(forward ? 1 : -1, event.shiftKey);
    return true;
  }
  const action = ACTIONS.get(key);
  if (!action) return false;
  action(desk, page);
  return true;
}

/** The overlay's tables of keys. */
function keyTables() {
  return KEYS.map(([title, rows]) => make('section', {}, make('h3', {}, title), make('dl', {},
    ...rows.filter(([, shown]) => shown).map(([, shown, told]) => make('div', {},
      make('dt', {}, ...shown.split(' ').map((key) => make('kbd', {}, key))), make('dd', {}, told))))));
}
