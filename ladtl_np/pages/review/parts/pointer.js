/* The mouse and the finger: a click goes to a token, and a span is drawn over several. */

/** Let the pointer choose tokens on the cards of a container. */
function followPointer(container, desk) {
  let from = null;

  const tokenAt = ({ clientX, clientY }) => {
    const found = document.elementFromPoint(clientX, clientY);
    const token = found?.closest('.token') ?? found?.closest('mark')?.querySelector('.token');
    const here = token && Number(token.closest('article').dataset.number) === desk.number;
    return here ? Number(token.dataset.token) : null;
  };

  container.addEventListener('pointerdown', (event) => {
    const card = event.target.closest('article');
    if (!card || event.button) return;
    const number = Number(card.dataset.number);
    const before = card.querySelector('.text').getBoundingClientRect().top;
    if (number !== desk.number) desk.go(number); // its tokens have elements from now on
    const stays = card.querySelector('.text').getBoundingClientRect().top === before;
    from = stays ? tokenAt(event) : null; // else another token is there by now
    if (from !== null) desk.put(from, event.shiftKey);
  });
  container.addEventListener('pointermove', (event) => {
    if (from === null || !event.buttons) return;
    const token = tokenAt(event);
    if (token === null || token === desk.at) return;
    if (desk.anchor === null) desk.put(from);
    desk.put(token, true);
  });
  addEventListener('pointerup', () => { from = null; });
}
