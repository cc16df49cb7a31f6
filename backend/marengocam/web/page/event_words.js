// What an event says, in words.
import { percent } from "./showing.js";

function cues(event) {
  const found = (event.data?.evidence?.cues ?? []).filter((cue) => cue.log_ratio > 0).map((cue) => cue.cue.replaceAll("_", " "));
  return [...new Set(found)].join(", ");
}

const SENTENCES = {
  person_detected: (e) => ["Somebody", `on ${e.camera_name}`],
  person_confirmed: (e) => [e.person_name, `on ${e.camera_name}, ${percent(e.probability)}${cues(e) ? ` by ${cues(e)}` : ""}`],
  person_unknown: (e) => ["A stranger", `on ${e.camera_name}`],
  person_corrected: (e) => [`It was ${e.person_name ?? "somebody else"}`, `on ${e.camera_name}`],
  zone_entered: (e) => [e.data.zone, `entered on ${e.camera_name}`],
  movement_seen: (e) => ["Movement", `on ${e.camera_name}`],
  camera_offline: (e) => [`${e.camera_name} is offline`, e.data.reason ?? ""],
  camera_online: (e) => [`${e.camera_name} is back`, ""],
  health_changed: (e) => [`${e.data.service} is ${e.data.status}`, e.data.reason ?? ""],
  survival_mode_changed: (e) => ["Survival mode", e.data.state ?? ""],
  replay_finished: (e) => [`Replay ${e.data.state}`, e.data.reason ?? e.camera_name ?? ""],
};

/** Return who or what an event is about, and what of it. */
export const happening = (event) => (SENTENCES[event.type] ?? (() => [event.type.replaceAll("_", " "), ""]))(event);
