// Elements, times and shares as this page shows them.
export const $ = (id) => document.getElementById(id);

export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function time(text) {
  const at = new Date(text);
  const clock = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  if (at.toDateString() === new Date().toDateString()) return clock;
  return `${at.toLocaleDateString([], { day: "numeric", month: "short" })}, ${clock}`;
}

export const percent = (share) => (share == null ? "" : `${Math.round(share * 100)} %`);

/** Exchange a list's items; what is pressed at this moment stays, and the focus stays on what it was on. */
export function exchange(list, items) {
  if (list.querySelector("button:active, select:focus")) return;
  const focused = list.contains(document.activeElement) ? document.activeElement : null;
  const [id, purpose] = [focused?.closest("[data-id]")?.dataset.id, focused?.dataset.purpose];
  list.replaceChildren(...items);
  if (id && purpose) list.querySelector(`[data-id="${id}"] [data-purpose="${purpose}"]`)?.focus();
}

/** Return what reads and then shows; where several read at once the last that was asked for counts. */
export function newest(read, show) {
  let asked = 0;
  return async () => {
    const mine = ++asked;
    const answer = await read();
    if (mine === asked) show(answer);
  };
}
