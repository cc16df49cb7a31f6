// One camera: live, or from any moment that was recorded, with who was seen; and a clip of it to keep.
import { call, file, picture, post, ROOT } from "./api.js";
import { mostMarks, onMoment, showDay, showMoment } from "./day_bar.js";
import { moment, play, stop } from "./player.js";
import { $, element, time } from "./showing.js";

const HOUR_MS = 3_600_000;
const PLAYED_MS = HOUR_MS; // of a recording at once; the next follows by itself
const LEAD_IN_MS = 2000;
const CLIP_MS = 60_000;
const NEEDLE_EVERY_MS = 500;
const DAY_EVERY_MS = 15_000;
const PICTURE_EVERY_MS = 1000;
const JOINED_MS = 1500; // recordings less apart than this are shown as one
const dialog = $("watching");
const video = $("watch-film");

let camera = null;
let live = true;
let at = 0; // the moment that is shown, in milliseconds
let from = 0; // where the bar begins
let recorded = [];
let asked = 0; // films so far: what an earlier one waited for must not come after a later one
let coming = false; // the film that was asked for is on its way, and the one before still shown
let timers = [];

const hours = () => Number($("watch-hours").value);
const dayEnd = () => from + hours() * HOUR_MS;
const stamp = (milliseconds) => new Date(milliseconds).toISOString();
const film = ({ url }) => `${ROOT}${url.slice(1)}`;
const tell = (text) => { $("watch-error").textContent = text; };
const isShown = (mine) => dialog.open && camera === mine;

async function loadDay() {
  const mine = camera;
  const [start, end] = [from, dayEnd()];
  const lately = Date.now() - end < HOUR_MS; // what is being recorded may have begun before
  const [{ chunks }, { sightings }] = await Promise.all([
    call(`/chunks?${new URLSearchParams({ camera_id: mine.camera_id, from_at: stamp(start), to_at: stamp(lately ? Date.now() : end) })}`),
    call(`/cameras/${mine.camera_id}/sightings?${new URLSearchParams({ from_at: stamp(start), to_at: stamp(end), slots: mostMarks() })}`),
  ]);
  if (!isShown(mine) || from !== start) return;
  recorded = [];
  for (const chunk of chunks) add(new Date(chunk.started_at).getTime(), chunk.duration_s * 1000);
  // What grows is in no list yet: it goes on where the last one ends.
  const last = recorded.at(-1);
  if (mine.recording_now && lately) add(last ? last[1] : Math.max(start, new Date(mine.since).getTime()), Infinity);
  const seen = sightings.map((one) => ({ ...one, from: new Date(one.from_at).getTime(), to: new Date(one.to_at).getTime() }));
  showDay(hours(), start, recorded, seen, (moment) => goTo(moment - LEAD_IN_MS));
}

function add(start, duration) {
  const end = Math.min(start + duration, Date.now());
  const last = recorded.at(-1);
  if (last && start - last[1] < JOINED_MS) last[1] = Math.max(last[1], end);
  else recorded.push([start, end]);
}

/** Show what was recorded at a moment; where nothing was, what comes next. */
async function goTo(wanted) {
  if (wanted >= Date.now()) { await goLive(); return; }
  if (wanted < from || wanted >= dayEnd()) await turnTo(wanted + (hours() * HOUR_MS) / 2);
  const next = recorded.find(([, end]) => end > wanted);
  if (!next && dayEnd() >= Date.now() - DAY_EVERY_MS) { await goLive(); return; }
  if (!next) { tell(`Nothing was recorded from ${time(wanted)} to ${time(dayEnd())}.`); return; }
  live = false;
  at = Math.max(wanted, next[0]);
  tell(at > wanted + JOINED_MS ? `Nothing was recorded at ${time(wanted)}.` : "");
  const span = { from_at: stamp(at), to_at: stamp(Math.min(at + PLAYED_MS, Date.now())) };
  await showFilm(() => post(`/cameras/${camera.camera_id}/recording`, span), tell);
}

async function goLive() {
  live = true;
  at = Date.now();
  tell("");
  showPicture(!camera.recording_now);
  if (camera.recording_now) {
    await showFilm(() => call(`/cameras/${camera.camera_id}/stream`, { method: "POST" }), (text) => { showPicture(true); tell(text); });
    return;
  }
  asked += 1;
  coming = false;
  stop(video);
  tell("This camera does not record now: this is its newest picture.");
  showNow();
}

/** Play the film whose address is asked for; `failed` is told when it cannot be played. */
async function showFilm(ask, failed) {
  const mine = ++asked;
  coming = true;
  showNow();
  try {
    const place = await ask();
    if (mine !== asked || !dialog.open) return;
    showPicture(false);
    await play(video, film(place), { live, failed });
  } catch (error) { if (mine === asked) tell(error.message); }
  if (mine === asked) coming = false;
}

function showPicture(wanted) {
  $("watch-picture").hidden = !wanted;
  video.hidden = wanted;
}

async function refreshPicture() {
  if ($("watch-picture").hidden || document.hidden) return;
  await picture($("watch-picture"), `/cameras/${camera.camera_id}/snapshot.jpg`, true);
}

function showNow() {
  if (!coming && !video.hidden && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) at = moment(video) ?? at;
  $("watch-when").textContent = live ? "Live" : time(at);
  $("watch-live").disabled = live;
  showMoment(live ? Date.now() : at);
}

/** Have the bar end at a moment, or now. */
async function turnTo(end) {
  from = Math.min(end, Date.now()) - hours() * HOUR_MS;
  $("watch-later").disabled = end >= Date.now();
  try { await loadDay(); } catch (error) { tell(error.message); }
}

async function keepClip() {
  const mine = camera;
  const end = Math.min(at + CLIP_MS / 2, Date.now());
  const span = new URLSearchParams({ from_at: stamp(end - CLIP_MS), to_at: stamp(end) });
  $("watch-clip").disabled = true;
  try {
    const url = await file(`/cameras/${mine.camera_id}/clip.mp4?${span}`);
    element("a", { href: url, download: `${mine.camera_id}-${stamp(end - CLIP_MS).slice(0, 19).replaceAll(":", "")}.mp4` }).click();
    setTimeout(() => URL.revokeObjectURL(url), CLIP_MS);
  } catch (error) { if (isShown(mine)) tell(error.message); }
  $("watch-clip").disabled = false;
}

/** Open a camera: live, or from a moment in milliseconds. */
export async function openWatching(cameraId, moment = null) {
  const known = await call(`/cameras/${cameraId}`);
  if (dialog.open) return; // pressed twice
  camera = known;
  $("watch-title").textContent = camera.name;
  recorded = [];
  dialog.showModal();
  timers = [setInterval(showNow, NEEDLE_EVERY_MS), setInterval(() => (live ? turnTo(Date.now()) : loadDay().catch(() => {})), DAY_EVERY_MS), setInterval(() => refreshPicture().catch(() => {}), PICTURE_EVERY_MS)];
  await turnTo((moment ?? Date.now()) + (hours() * HOUR_MS) / 2);
  await (moment === null ? goLive() : goTo(moment));
}

onMoment((wanted) => goTo(wanted));
video.addEventListener("ended", () => { if (video.ended && !live) goTo(at + JOINED_MS); }); // told late, it is of the film before
$("watch-live").addEventListener("click", () => { turnTo(Date.now()); goLive(); });
$("watch-earlier").addEventListener("click", () => turnTo(from));
$("watch-later").addEventListener("click", () => turnTo(from + 2 * hours() * HOUR_MS));
$("watch-hours").addEventListener("change", () => turnTo(live ? Date.now() : at + (hours() * HOUR_MS) / 2));
$("watch-clip").addEventListener("click", keepClip);
$("watch-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  timers.forEach(clearInterval);
  timers = [];
  asked += 1;
  stop(video);
});
