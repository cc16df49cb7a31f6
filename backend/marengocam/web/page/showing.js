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
