// What an event says, in words.
import { BRIEFLY } from "./cue_words.js";
import { percent } from "./showing.js";

function cues(event) {
  const found = (event.data?.evidence?.cues ?? []).filter((cue) => cue.log_ratio > 0).map((cue) => BRIEFLY[cue.cue]);
  return [...new Set(found)].filter(Boolean).join(", ");
}

const notWho = (event) => (event.data.was_person_name ? `, not ${event.data.was_person_name}` : "");

const SENTENCES = {
  person_detected: (e) => ["Somebody", `on ${e.camera_name}`],
  person_confirmed: (e) => [e.person_name, `on ${e.camera_name}, ${percent(e.probability)}${cues(e) ? ` by ${cues(e)}` : ""}`],
  person_unknown: (e) => ["A stranger", `on ${e.camera_name}${notWho(e)}`],
  person_corrected: (e) => [`It was ${e.person_name ?? "somebody else"}`, `on ${e.camera_name}${notWho(e)}`],
  visit_ended: (e) => [e.person_name ?? "Somebody", `has left, last on ${e.camera_name}`],
  moment_marked: (e) => [e.data.label || "A moment", `was marked${e.camera_name ? ` on ${e.camera_name}` : ""}`],
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
