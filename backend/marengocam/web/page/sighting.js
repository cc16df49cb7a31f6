// One sighting: its film, who it is taken for and why, and what its owner says to that.
import { call, file, picture, post } from "./api.js";
import { CUES, lessLikely, strength } from "./cue_words.js";
import { $, element, percent, time } from "./showing.js";
import { openWatching } from "./watching.js";

const LEAD_IN_MS = 2000;
const LONGEST_FILM_MS = 60000;
const dialog = $("sighting");

let track = null;
let film = ""; // the object URL that is shown

const cameraNames = new Map();

function headline() {
  const who = track.person_name ?? (track.identity_id ? "A stranger" : "Somebody");
  const sure = track.person_name && track.decided_by === "resolver" ? `, ${percent(track.probability)} sure` : "";
  const said = track.decided_by === "human" ? ", as you said" : "";
  return [who, `on ${cameraNames.get(track.camera_id) ?? track.camera_id}${sure}${said}`];
}

async function showFilm() {
  const from = new Date(track.first_seen_at).getTime() - LEAD_IN_MS;
  const to = Math.min(new Date(track.last_seen_at).getTime() + LEAD_IN_MS, from + LONGEST_FILM_MS);
  const span = new URLSearchParams({ from_at: new Date(from).toISOString(), to_at: new Date(to).toISOString() });
  const mine = track.local_track_id;
  const url = await file(`/cameras/${track.camera_id}/clip.mp4?${span}`);
  if (!isShown(mine)) { URL.revokeObjectURL(url); return; }
  film = url;
  $("sighting-film").src = url;
  $("sighting-film").hidden = false;
  $("sighting-crop").hidden = true;
}

const isShown = (trackId) => dialog.open && track.local_track_id === trackId;

function forgetFilm() {
  $("sighting-film").removeAttribute("src");
  $("sighting-film").load();
  $("sighting-film").hidden = true;
  $("sighting-crop").hidden = false;
  if (film) URL.revokeObjectURL(film);
  film = "";
}

/** Return where the picture of a look is: of one that was seen on a track, or of one that was enrolled. */
const lookOf = (kind, trackId, exemplarId) => (exemplarId ? `/exemplars/${exemplarId}/picture.jpg` : trackId && `/tracks/${trackId}/${kind}.jpg`);

/** Return the pictures a cue compared: this sighting's or what was seen before it of the same one, and the other's. */
function compared({ cue, detail }) {
  const kind = cue.includes("face") ? "face" : "crop";
  const other = lookOf(kind, detail.with_track_id, detail.with_exemplar_id);
  if (!other) return [];
  const before = lookOf(kind, detail.of_track_id, detail.of_exemplar_id);
  return [before ?? `/tracks/${track.local_track_id}/${kind}.jpg`, other].map((path, number) => {
    const image = element("img", { className: "thumb", alt: number ? "compared with" : before ? "seen shortly before" : "this sighting", hidden: true });
    image.addEventListener("load", () => { image.hidden = false; });
    picture(image, path).catch(() => {});
    return image;
  });
}

function cueItem(cue) {
  const [name, told] = CUES[cue.cue] ?? [cue.cue.replaceAll("_", " "), () => ""];
  const what = element("span", { className: "what" }, element("strong", { textContent: name }), `: ${strength(cue.log_ratio)}`, element("small", { textContent: told(cue.detail) }));
  return element("li", { className: cue.log_ratio < 0 ? "against" : "" }, what, ...compared(cue));
}

function showWhy() {
  const evidence = track.evidence ?? {};
  const cues = [...(evidence.cues ?? [])].sort((one, other) => Math.abs(other.log_ratio) - Math.abs(one.log_ratio));
  $("sighting-cues").replaceChildren(...cues.map((cue) => cueItem({ detail: {}, ...cue })));
  const second = evidence.runner_up;
  const whom = second && (second.name ?? (second.identity_id === "new" ? "somebody never seen before" : "an unknown seen before"));
  $("sighting-second").textContent = second ? `Else it would be ${whom}: ${lessLikely(evidence.margin)}.` : "";
}

function showWords() {
  $("sighting-right").hidden = $("sighting-wrong").hidden = !track.person_name || track.decided_by === "human";
  $("sighting-question").textContent = track.person_name ? "Is that right?" : "Who is this?";
  $("sighting-wrong").textContent = `Not ${track.person_name}`;
  $("sighting-name").value = "";
}

function show() {
  const [who, where] = headline();
  $("sighting-title").textContent = `${who} ${where}`;
  $("sighting-when").textContent = time(track.first_seen_at);
  $("sighting-crop").alt = who;
  showWhy();
  showWords();
}

/** Show the track's picture in an image of its own: what another one still waits for must not come into it. */
function showCrop() {
  const crop = element("img", { id: "sighting-crop" });
  $("sighting-crop").replaceWith(crop);
  picture(crop, `/tracks/${track.local_track_id}/crop.jpg`).catch(() => {});
}

/** Open the dialog on a track. */
export async function openSighting(trackId) {
  const [detail, { cameras }, { persons }] = await Promise.all([call(`/tracks/${trackId}`), call("/cameras"), call("/persons")]);
  cameras.forEach((one) => cameraNames.set(one.camera_id, one.name));
  $("sighting-persons").replaceChildren(...persons.map((one) => element("option", { value: one.name })));
  if (dialog.open) return; // pressed twice
  track = detail;
  tell("");
  showCrop();
  forgetFilm();
  show();
  dialog.showModal();
  showFilm().catch((error) => { if (isShown(trackId)) $("sighting-missing").textContent = error.message; });
}

function tell(text, wordId = "") {
  $("sighting-missing").textContent = $("sighting-error").textContent = "";
  $("sighting-said").textContent = text;
  $("sighting-undo").hidden = !wordId;
  $("sighting-undo").dataset.word = wordId;
}

async function say(text, path, body) {
  const mine = track.local_track_id;
  try {
    const said = body ? await post(path, body) : await call(path, { method: "POST" });
    const known = await call(`/tracks/${mine}`);
    if (!isShown(mine)) return; // closed meanwhile; another may be shown, which the next word is about
    track = known;
    show();
    tell(text, said?.word_id ?? "");
  } catch (error) { if (isShown(mine)) $("sighting-error").textContent = error.message; }
}

const here = () => ({ local_track_ids: [track.local_track_id] });

$("sighting-right").addEventListener("click", () => say(`This is ${track.person_name}.`, "/tracks/confirm", here()));
$("sighting-wrong").addEventListener("click", () => say(`This is not ${track.person_name}.`, `/identities/${track.identity_id}/deny`, { person_id: track.person_id, ...here() }));
$("sighting-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const name = $("sighting-name").value.trim();
  say(`This is ${name}.`, "/tracks/name", { name, ...here() });
});
$("sighting-undo").addEventListener("click", () => say("Taken back.", `/words/${$("sighting-undo").dataset.word}/undo`));
$("sighting-watch").addEventListener("click", () => {
  const [cameraId, from] = [track.camera_id, new Date(track.first_seen_at).getTime() - LEAD_IN_MS];
  dialog.close();
  openWatching(cameraId, from).catch(() => {});
});
$("sighting-close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", forgetFilm);
