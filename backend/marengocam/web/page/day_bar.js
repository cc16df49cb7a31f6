// A stretch of time as a bar: what of it was recorded, who was seen in it, and the moment that is shown.
import { marksOf } from "./day_marks.js";
import { $, element, exchange, time } from "./showing.js";

const MINUTE_MS = 60_000;
const STEPS_MS = { ArrowLeft: -10_000, ArrowRight: 10_000, ArrowDown: -MINUTE_MS, ArrowUp: MINUTE_MS, PageDown: -10 * MINUTE_MS, PageUp: 10 * MINUTE_MS };
const TICK_EVERY_MS = { 1: 10 * MINUTE_MS, 6: 60 * MINUTE_MS, 24: 240 * MINUTE_MS }; // by the hours that are shown
const LEAST_SHARE = 0.002; // of the bar: what is shorter would not be seen
const MARK_PX = 26; // from the beginning of one mark to the next: its number is read, and a finger hits it
const TICK_PX = 76; // a time of day with its AM or PM

let shown = { from: 0, to: 1 };
let at = 0;

const share = (moment) => (moment - shown.from) / (shown.to - shown.from);
const percent = (value) => `${100 * Math.min(1, Math.max(0, value))}%`;

function place(mark, from, to) {
  mark.style.left = percent(share(from));
  mark.style.width = percent(Math.max(LEAST_SHARE, Math.min(1, share(to)) - Math.max(0, share(from))));
  return mark;
}

/** How many marks fit beside one another. */
export const mostMarks = () => Math.max(1, Math.floor($("watch-sightings").clientWidth / MARK_PX));

/** Show what was recorded, as [from, to] in milliseconds, and the API's sightings; `go` is called with the moment of one that is pressed. */
export function showDay(hours, from, recorded, sightings, go) {
  shown = { from, to: from + hours * 60 * MINUTE_MS };
  const bar = $("watch-bar");
  const spans = recorded.map(([start, end]) => place(element("span", { className: "recorded" }), start, end));
  const ticks = [];
  const width = Math.max(1, $("watch-ticks").clientWidth);
  let every = TICK_EVERY_MS[hours];
  while (every * width < TICK_PX * (shown.to - from)) every *= 2;
  const edge = (TICK_PX / 2 / width) * (shown.to - from);
  const zone = new Date(from).getTimezoneOffset() * MINUTE_MS;
  for (let tick = Math.ceil((from - zone) / every) * every + zone; tick < shown.to; tick += every) {
    if (tick - from < edge || shown.to - tick < edge) continue; // it would be cut
    const label = new Date(tick).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    const mark = element("span", { className: "tick", textContent: label });
    mark.style.left = percent(share(tick));
    ticks.push(mark);
  }
  const needle = element("span", { id: "watch-needle" });
  bar.replaceChildren(...spans, needle);
  $("watch-ticks").replaceChildren(...ticks);
  const marks = marksOf(sightings, from, (shown.to - from) / mostMarks());
  exchange($("watch-sightings"), marks.map((one) => {
    const text = `${one.who}, ${time(one.from)}${one.count > 1 ? ` to ${time(one.to)}` : ""}`;
    const mark = place(element("button", { type: "button", className: one.named ? "known" : "", title: text, ariaLabel: text, textContent: one.shown }), one.from, one.to);
    mark.dataset.purpose = "go";
    mark.addEventListener("click", () => go(one.from));
    const item = element("span", {}, mark);
    item.dataset.id = `${one.named} ${one.from}`;
    return item;
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
