// The Time Machine: asks why somebody was missed, replays a stretch of time, steers what runs, opens what came of it.
import { call, post, ROOT } from "./api.js";
import { $, element, time } from "./showing.js";

const REFRESH_MS = 1500; // while something runs
const SHOWN = 8;
const TEST_BEFORE_MS = 10_000; // as the API does around a moment
const TEST_AFTER_MS = 20_000;
let refreshing = null;
let asked = 0;

const moment = (input) => new Date(input.value).toISOString();
const hasEnded = (run) => !["requested", "running"].includes(run.state);

/** Return the lines "key = value" as an object; throws where one is none. */
function overrides(text) {
  const lines = text.split("\n").map((line) => line.trim()).filter(Boolean);
  return Object.fromEntries(lines.map((line) => {
    const [key, ...value] = line.split("=");
    if (!value.length) throw new Error(`Write settings as key = value, one a line, not “${line}”.`);
    return [key.trim(), value.join("=").trim()];
  }));
}

/** Return the changed settings and models of a form; throws where they cannot be read. */
export function wanted(form) {
  const models = $(`${form}-models`).value.split(",").map((name) => name.trim()).filter(Boolean);
  return { overrides: overrides($(`${form}-overrides`).value), models };
}

async function attempt(action) {
  $("replay-error").textContent = "";
  try { await action(); } catch (error) { $("replay-error").textContent = error.message; }
  await loadReplays().catch(() => {});
}

const askWhy = () => post(`/cameras/${$("replay-camera").value}/why`, { at: moment($("why-at")), ...wanted("replay") });

const askReplay = () => post("/replays", {
  camera_id: $("replay-camera").value,
  from_at: moment($("replay-from")),
  to_at: moment($("replay-to")),
  pace: $("replay-pace").value,
  ...wanted("replay"),
});

const openPage = (path, against) => async () => {
  const shown = window.open("", "_blank");
  const { url } = await call(`${path}/page?against=${against()}`);
  const address = ROOT + url.slice(1);
  if (shown) shown.location = address; else location.assign(address);
};

function stateText(run) {
  if (run.state === "failed") return run.reason;
  if (run.state !== "running") return run.state;
  const { at, stage = "beginning", tracks = 0, waits_for: waits } = run.progress;
  const found = tracks === 1 ? "1 track" : `${tracks} tracks`;
  return [stage, ...(at ? [`at ${time(at)}`] : []), found, ...(waits ? [`waits for ${waits}`] : [])].join(", ");
}

function changesText(run) {
  return Object.entries(run.overrides).map(([key, value]) => `${key} = ${value}`).join(", ");
}

/** Return a choice of what a run is compared with: life, or another run of its camera. */
function comparison(run, runs) {
  const others = runs.filter((one) => one.run_id !== run.run_id && one.camera_id === run.camera_id && one.state === "finished" && !one.why_at && !one.case_ids);
  const option = (value, textContent) => element("option", { value, textContent });
  const options = others.map((one) => option(one.run_id, `with ${changesText(one) || "nothing changed"}, ${time(one.requested_at)}`));
  return element("select", { ariaLabel: "Compared with" }, option("live", "with live"), ...options);
}

/** Return what takes a run's moment over into a test of the owner's own. */
function testOf(run) {
  const around = (offset_ms) => new Date(new Date(run.why_at).getTime() + offset_ms).toISOString();
  const made = element("button", { type: "button", textContent: "Make a test" });
  made.dataset.testCamera = run.camera_id;
  made.dataset.testFrom = run.why_at ? around(-TEST_BEFORE_MS) : run.from_at;
  made.dataset.testTo = run.why_at ? around(TEST_AFTER_MS) : run.to_at;
  return made;
}

function buttons(run, runs) {
  const path = `/replays/${run.run_id}`;
  const control = (change) => () => post(`${path}/control`, change);
  const button = (text, action) => {
    const made = element("button", { type: "button", textContent: text });
    made.addEventListener("click", () => attempt(action));
    return made;
  };
  if (hasEnded(run)) {
    const remove = button("Remove", () => call(path, { method: "DELETE" }));
    if (run.state !== "finished") return [remove];
    const open = button("Open", openPage(path, () => "live"));
    if (run.case_ids) return [open, remove];
    if (run.why_at) return [open, testOf(run), remove];
    const against = comparison(run, runs);
    return [button("Compare", openPage(path, () => against.value)), against, testOf(run), remove];
  }
  const paced = run.pace === "step"
    ? [button("Step", control({ steps: 1 })), button("Go on", control({ wish: "run", pace: "fast" }))]
    : [button("Step by step", control({ wish: "run", pace: "step" }))];
  const paused = run.wish === "pause" ? button("Resume", control({ wish: "run" })) : button("Pause", control({ wish: "pause" }));
  const steered = run.case_ids ? [paused] : [...paced, paused];
  return [...(run.why_at ? [] : steered), button("Cancel", control({ wish: "cancel" }))];
}

/** A camera by its name; one that was removed by its id. */
export const cameraName = (id) => [...$("replay-camera").options].find((one) => one.value === id)?.textContent ?? id;

function title(run) {
  if (run.case_ids) return run.case_ids.length === 1 ? "1 test of your own" : `${run.case_ids.length} tests of your own`;
  if (run.why_at) return `Why? ${cameraName(run.camera_id)}, ${time(run.why_at)}`;
  return `${cameraName(run.camera_id)}, ${time(run.from_at)} to ${time(run.to_at)}`;
}

function item(run, runs) {
  const what = title(run);
  const lines = [stateText(run), changesText(run)].filter(Boolean).map((textContent) => element("small", { textContent }));
  const { done_s: value, total_s: max } = run.progress;
  const bar = run.state === "running" && max ? [element("progress", { value, max, ariaLabel: "How much is done" })] : [];
  return element("li", {}, element("span", { className: "what" }, element("strong", { textContent: what }), ...lines, ...bar), ...buttons(run, runs));
}

export async function loadReplays() {
  clearTimeout(refreshing);
  const mine = ++asked;
  const { replays } = await call(`/replays?limit=${SHOWN}`);
  if (mine !== asked) return; // somebody asked later: that answer counts, in whatever order they come
  // What the owner presses or chooses at this moment must not be exchanged.
  if (!$("replays").querySelector("button:active, select:focus")) $("replays").replaceChildren(...replays.map((run) => item(run, replays)));
  if (replays.some((run) => !hasEnded(run))) refreshing = setTimeout(() => loadReplays().catch(() => {}), REFRESH_MS);
}

export function showReplayCameras(cameras) {
  for (const choice of [$("replay-camera"), $("test-camera")]) {
    const chosen = choice.value;
    choice.replaceChildren(...cameras.map((camera) => element("option", { value: camera.camera_id, textContent: camera.name })));
    if (chosen) choice.value = chosen;
  }
}

for (const [form, ask] of [["why-form", askWhy], ["replay-form", askReplay]]) {
  $(form).addEventListener("submit", (event) => {
    event.preventDefault();
    attempt(ask);
  });
}
