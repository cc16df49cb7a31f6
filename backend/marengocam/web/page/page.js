// The page: reads the API, shows it, and follows the event stream. No framework, no build step.
import { call, forgetPictures, INGRESS, picture, post, ROOT, session } from "./api.js";
import { happening } from "./event_words.js";
import { loadTests, showExpectations } from "./own_tests.js";
import { loadRules } from "./rules.js";
import { $, element, time } from "./showing.js";
import { openSighting } from "./sighting.js";
import { loadReplays, showReplayCameras } from "./time_machine.js";
import { openWatching } from "./watching.js";
import { openZones } from "./zones.js";

const SNAPSHOT_EVERY_MS = 2000;
const RECONNECT_MS = 2000;
const REFRESH_MS = 15000;
const EVENTS_SHOWN = 30;

let lastNumber = 0;
let oldestNumber = 0; // of what was asked for and is still listed, or was left out on purpose
let shown = EVENTS_SHOWN;
let timers = [];
let socket = null;

const STATES = { ok: "All is well", degraded: "Needs a look", failing: "Not working" };

function eventItem(event) {
  const [who, where] = happening(event);
  const thumb = element("img", { className: "thumb", alt: "" });
  thumb.hidden = !event.local_track_id;
  if (event.local_track_id) picture(thumb, `/tracks/${event.local_track_id}/crop.jpg`).catch(() => {});
  const what = element("span", { className: "what" }, element("strong", { textContent: who }), ` ${where}`, element("small", { textContent: time(event.occurred_at) }));
  const made = element("li", { className: event.type });
  made.dataset.number = event.number;
  if (!event.local_track_id) {
    made.append(thumb, what);
    return made;
  }
  made.append(opener(event.local_track_id, null, thumb, what));
  made.dataset.track = event.local_track_id;
  return made;
}

function showEvent(event) {
  lastNumber = Math.max(lastNumber, event.number);
  // Who was somebody at first is listed as what is known by now.
  if (event.type.startsWith("person_")) $("events").querySelectorAll(`.person_detected[data-track="${event.local_track_id}"]`).forEach((one) => one.remove());
  $("events").prepend(eventItem(event));
  while ($("events").children.length > shown) {
    $("events").lastChild.remove();
    oldestNumber = $("events").lastChild.dataset.number;
  }
}

async function showOlder() {
  const { events } = await call(`/events?limit=${EVENTS_SHOWN}&before=${oldestNumber}`);
  shown += events.length;
  list(events);
}

/** Add events, newest first, below those that are listed. */
function list(events) {
  for (const event of events) {
    oldestNumber = event.number;
    const known = [...$("events").children].some((one) => one.dataset.track && one.dataset.track === event.local_track_id);
    if (event.type !== "person_detected" || !known) $("events").append(eventItem(event));
  }
  $("events-older").hidden = events.length < EVENTS_SHOWN;
}

/** Return what opens a sighting when it is pressed. */
function opener(trackId, label, ...shown) {
  const made = element("button", { type: "button", className: "opener", ariaLabel: label }, ...shown);
  made.addEventListener("click", () => openSighting(trackId).catch((error) => made.append(element("small", { className: "failed", textContent: error.message }))));
  return made;
}

function zonesButton(camera) {
  const made = element("button", { type: "button", textContent: "Zones", ariaLabel: `Zones of ${camera.name}` });
  made.addEventListener("click", () => openZones(camera.camera_id).catch(() => {}));
  return made;
}

/** Return a camera's newest picture, which opens its film when it is pressed. */
function watchButton(camera) {
  const made = element("button", { type: "button", className: "watch", ariaLabel: `Watch ${camera.name}` }, element("img", { alt: `Newest picture of ${camera.name}` }));
  made.addEventListener("click", () => openWatching(camera.camera_id).catch((error) => made.append(element("small", { className: "failed", textContent: error.message }))));
  return made;
}

async function loadCameras() {
  const { cameras } = await call("/cameras");
  const known = new Map([...$("cameras").children].map((figure) => [figure.dataset.id, figure]));
  for (const camera of cameras) {
    let figure = known.get(camera.camera_id);
    known.delete(camera.camera_id);
    if (!figure) {
      figure = element("figure", { className: "camera" }, watchButton(camera), element("figcaption", {}, element("span", { className: "info" }), zonesButton(camera)));
      figure.dataset.id = camera.camera_id;
      $("cameras").append(figure);
    }
    const people = camera.open_person_tracks;
    figure.classList.toggle("stale", camera.state !== "online");
    figure.querySelector(".info").replaceChildren(
      element("span", { className: `dot ${camera.state}`, title: camera.state }),
      element("strong", { textContent: camera.name }), ...(camera.state === "online" ? [] : [element("span", { textContent: camera.state })]),
      ...(people ? [element("span", { className: "here", textContent: people === 1 ? "1 person" : `${people} people` })] : []),
      ...(camera.reason ? [element("span", { className: "reason", textContent: camera.reason })] : []),
    );
  }
  known.forEach((figure) => figure.remove());
  if (cameras.length !== $("replay-camera").length) showReplayCameras(cameras);
  if (!cameras.length) $("cameras").textContent = "No camera yet: add one in Home Assistant or with `marengocam camera add`.";
}

async function refreshSnapshots() {
  if (document.hidden) return;
  await Promise.allSettled([...$("cameras").querySelectorAll("figure")].map((figure) => picture(figure.querySelector("img"), `/cameras/${figure.dataset.id}/snapshot.jpg`, true)));
}

async function loadPeople() {
  const [{ persons }, { identities }] = await Promise.all([call("/persons"), call("/identities?unknown=true&limit=8")]);
  showExpectations(persons);
  $("persons").replaceChildren(...persons.map((person) => {
    const thumb = element("img", { className: "thumb", alt: "" });
    if (person.has_picture) picture(thumb, `/persons/${person.person_id}/picture.jpg`, true).catch(() => {});
    const where = person.last_seen_at ? `${person.present ? "now" : `last ${time(person.last_seen_at)}`} on ${person.last_seen_camera_name}` : "not seen yet";
    const what = element("span", { className: "what" }, element("strong", { textContent: person.name }), element("small", { textContent: where }));
    return element("li", {}, ...(person.last_seen_track_id ? [opener(person.last_seen_track_id, null, thumb, what)] : [thumb, what]));
  }));
  // A name that is being typed must not vanish under the owner's fingers.
  if ($("unknown").contains(document.activeElement)) return;
  $("unknown").replaceChildren(...identities.map(unknownItem));
}

function unknownItem(identity) {
  const thumb = element("img", { className: "thumb", alt: "" });
  if (identity.crop_track_id) picture(thumb, `/tracks/${identity.crop_track_id}/crop.jpg`).catch(() => {});
  const input = element("input", { placeholder: "Who is this?", required: true, maxLength: 100, ariaLabel: "Name of this person" });
  const form = element("form", { className: "name" }, input, element("button", { type: "submit", textContent: "Name" }));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      await post(`/identities/${identity.identity_id}/name`, { name: input.value });
      input.blur();
      await loadPeople();
    } catch (error) { input.setCustomValidity(error.message); input.reportValidity(); input.setCustomValidity(""); }
  });
  const seen = `${identity.tracks === 1 ? "seen once" : `seen ${identity.tracks} times`}, last ${time(identity.last_seen_at)}`;
  const shown = identity.crop_track_id ? opener(identity.crop_track_id, "See this stranger", thumb) : thumb;
  return element("li", {}, shown, element("span", { className: "what" }, element("small", { textContent: seen }), form));
}

async function loadHealth() {
  const health = await call("/health");
  $("status").replaceChildren(element("span", { className: `dot ${health.status}` }), ` ${STATES[health.status]}`);
  if (health.storage) {
    const gigabytes = (bytes) => `${(bytes / 1e9).toFixed(1)} GB`;
    const hours = (health.storage.recorded_s / 3600).toFixed(1);
    $("storage").textContent = `${hours} h recorded in ${gigabytes(health.storage.recorded_bytes)}; ${gigabytes(health.storage.free_bytes)} free`;
  }
  $("services").replaceChildren(...health.services.map((one) => element("li", {}, element("span", { className: `dot ${one.status}` }), element("strong", { textContent: one.service }), element("small", { textContent: one.reason || one.status }))));
  $("log").replaceChildren(...health.log.slice(0, 5).map((entry) => element("li", { textContent: `${time(entry.at)} ${entry.message}` })));
}

const LOADERS = { cameras: loadCameras, persons: loadPeople, tracks: () => Promise.all([loadCameras(), loadPeople()]), health: loadHealth };

async function follow() {
  if (!session.token && !INGRESS) return;
  try {
    const { url } = await call("/events/ticket", { method: "POST" });
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}${ROOT}${url.slice(1)}&after=${lastNumber}`);
    socket.onmessage = (message) => {
      const content = JSON.parse(message.data);
      if (content.kind === "hello") lastNumber = Math.min(lastNumber, content.last_number);
      if (content.kind === "event" && content.event.number > lastNumber) {
        showEvent(content.event);
        if (content.event.type === "replay_finished") loadTests().catch(() => {});
      }
      if (content.kind === "changed") LOADERS[content.what]?.().catch(() => {});
    };
    socket.onclose = () => setTimeout(follow, RECONNECT_MS);
  } catch (error) {
    if (error.status === 401) return;
    setTimeout(follow, RECONNECT_MS);
  }
}

async function open() {
  const { events } = await call(`/events?limit=${EVENTS_SHOWN}`);
  session.keep();
  $("sign-in").hidden = true;
  $("home").hidden = false;
  $("sign-out").hidden = INGRESS;
  $("events").replaceChildren();
  shown = EVENTS_SHOWN;
  lastNumber = events[0]?.number ?? 0;
  list(events);
  await Promise.allSettled([loadCameras()]); // replays and tests show their names
  await Promise.allSettled([loadPeople(), loadHealth(), loadReplays(), loadRules(), loadTests()]);
  await refreshSnapshots();
  timers = [setInterval(refreshSnapshots, SNAPSHOT_EVERY_MS), setInterval(() => Promise.allSettled([loadCameras(), loadPeople(), loadHealth(), loadRules(), loadTests()]), REFRESH_MS)];
  follow();
}

function signOut(reason = "") {
  timers.forEach(clearInterval);
  timers = [];
  socket?.close();
  forgetPictures();
  session.forget();
  $("home").hidden = $("sign-out").hidden = true;
  $("sign-in").hidden = false;
  $("token-error").textContent = reason;
}

session.refused = signOut;
$("events-older").addEventListener("click", () => showOlder().catch(() => {}));
$("sign-out").addEventListener("click", () => signOut());
$("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  session.token = $("token").value.trim();
  open().catch((error) => signOut(error.message));
});

async function openIngress() {
  session.token = null;
  try { await open(); } catch (error) {
    $("status").textContent = error.message;
    setTimeout(openIngress, RECONNECT_MS);
  }
}

if (INGRESS) openIngress();
else if (session.token) open().catch((error) => signOut(error.message));
else signOut();
