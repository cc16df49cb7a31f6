// A stretch of time as a bar: what of it was recorded, who was seen in it, and the moment that is shown.
import { $, element, time } from "./showing.js";

const MINUTE_MS = 60_000;
const STEPS_MS = { ArrowLeft: -10_000, ArrowRight: 10_000, ArrowDown: -MINUTE_MS, ArrowUp: MINUTE_MS, PageDown: -10 * MINUTE_MS, PageUp: 10 * MINUTE_MS };
const TICK_EVERY_MS = { 1: 10 * MINUTE_MS, 6: 60 * MINUTE_MS, 24: 240 * MINUTE_MS }; // by the hours that are shown
const LEAST_SHARE = 0.002; // of the bar: what is shorter would not be seen

let shown = { from: 0, to: 1 };
let at = 0;

const share = (moment) => (moment - shown.from) / (shown.to - shown.from);
const percent = (value) => `${100 * Math.min(1, Math.max(0, value))}%`;

function place(mark, from, to) {
  mark.style.left = percent(share(from));
  mark.style.width = percent(Math.max(LEAST_SHARE, Math.min(1, share(to)) - Math.max(0, share(from))));
  return mark;
}

/** Show what was recorded and seen: `recorded` as [from, to] in milliseconds, `sightings` as { from, to, name, open }. */
export function showDay(hours, from, recorded, sightings) {
  shown = { from, to: from + hours * 60 * MINUTE_MS };
  const bar = $("watch-bar");
  const spans = recorded.map(([start, end]) => place(element("span", { className: "recorded" }), start, end));
  const ticks = [];
  const every = TICK_EVERY_MS[hours];
  const zone = new Date(from).getTimezoneOffset() * MINUTE_MS;
  for (let tick = Math.ceil((from - zone) / every) * every + zone; tick < shown.to; tick += every) {
    const label = new Date(tick).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const mark = element("span", { className: "tick", textContent: label });
    mark.style.left = percent(share(tick));
    ticks.push(mark);
  }
  const needle = element("span", { id: "watch-needle" });
  bar.replaceChildren(...spans, needle);
  $("watch-ticks").replaceChildren(...ticks);
  $("watch-sightings").replaceChildren(...sightings.map((one) => {
    const mark = place(element("button", { type: "button", className: one.known ? "known" : "", title: `${one.name}, ${time(one.from)}`, ariaLabel: `${one.name}, ${time(one.from)}` }), one.from, one.to);
    mark.addEventListener("click", one.open);
    return mark;
  }));
  showMoment(at);
}

/** Move the needle to a moment in milliseconds. */
export function showMoment(moment) {
  at = moment;
  const needle = $("watch-needle");
  if (!needle) return;
  needle.hidden = at < shown.from || at > shown.to;
  needle.style.left = percent(share(at));
  const bar = $("watch-bar");
  bar.ariaValueMin = "0";
  bar.ariaValueMax = String(Math.round((shown.to - shown.from) / 1000));
  bar.ariaValueNow = String(Math.round((at - shown.from) / 1000));
  bar.ariaValueText = time(at);
}

/** Have `go` called with the moment, in milliseconds, that somebody points at or moves to with the keyboard. */
export function onMoment(go) {
  const bar = $("watch-bar");
  bar.addEventListener("click", (event) => {
    const place = bar.getBoundingClientRect();
    go(shown.from + ((event.clientX - place.left) / place.width) * (shown.to - shown.from));
  });
  bar.addEventListener("keydown", (event) => {
    if (!(event.key in STEPS_MS)) return;
    event.preventDefault();
    go(at + STEPS_MS[event.key]);
  });
}
