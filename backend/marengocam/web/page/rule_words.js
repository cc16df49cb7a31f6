// A rule in words: what it waits for, under which conditions, what it does. `named` returns the name of a camera by its id.
import { percent } from "./showing.js";

const EVENTS = {
  person_detected: "somebody is seen",
  person_confirmed: "a person is recognised",
  person_unknown: "a stranger is seen",
  person_corrected: "a name is corrected",
  zone_entered: "a zone is entered",
  movement_seen: "something moves",
  visit_ended: "a visit ends",
  moment_marked: "a moment is marked",
  camera_offline: "a camera goes offline",
  camera_online: "a camera is back",
  health_changed: "a service's health changes",
  survival_mode_changed: "survival mode changes",
  replay_finished: "a replay ends",
};
const IDENTITIES = { known: "somebody with a name", unknown: "a stranger", undecided: "somebody not yet known" };
const DAYS = { mon: "Mondays", tue: "Tuesdays", wed: "Wednesdays", thu: "Thursdays", fri: "Fridays", sat: "Saturdays", sun: "Sundays" };
const UNITS = [[3600, "hour"], [60, "minute"], [1, "second"]];

const listed = (words, last) => (words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} ${last} ${words.at(-1)}`);
const any = (words) => listed(words, "or");
const all = (words) => listed(words, "and");

/** Return a length of time as people say it: 600 is "10 minutes". */
export function duration(seconds) {
  const [size, unit] = UNITS.find(([size]) => seconds >= size && seconds % size === 0) ?? [1, "second"];
  return seconds === size ? `1 ${unit}` : `${seconds / size} ${unit}s`;
}

function between({ after, before }, words) {
  if (after != null && before != null) return `between ${words("after", after)} and ${words("before", before)}`;
  return after != null ? `after ${words("after", after)}` : `before ${words("before", before)}`;
}

function bySun(sun) {
  const state = sun.state ? [`while the sun is ${sun.state}`] : [];
  const moved = (side, name) => {
    const offset_min = sun[`${side}_offset_min`] ?? 0;
    return offset_min ? `${duration(Math.abs(offset_min) * 60)} ${offset_min < 0 ? "before" : "after"} ${name}` : name;
  };
  return [...state, ...(sun.after || sun.before ? [between(sun, moved)] : [])].join(", ");
}

function byPresence({ present = [], absent = [], anybody }) {
  return [
    ...(present.length ? [`while ${all(present)} ${present.length > 1 ? "are" : "is"} there`] : []),
    ...(absent.length ? [`while ${any(absent)} is not there`] : []),
    ...(anybody == null ? [] : [anybody ? "while somebody else with a name is there" : "while nobody else with a name is there"]),
  ].join(", ");
}

const clock = (_side, text) => text.slice(0, 5);
const CONDITIONS = {
  persons: (names) => `about ${any(names)}`,
  identity: (states) => `about ${any(states.map((one) => IDENTITIES[one]))}`,
  cameras: (ids, named) => `on ${any(ids.map(named))}`,
  zones: (names) => `in ${any(names)}`,
  labels: (labels) => `of ${any(labels)}`,
  min_probability: (share) => `at least ${percent(share)} sure`,
  max_probability: (share) => `at most ${percent(share)} sure`,
  time: (window) => between(window, clock),
  sun: bySun,
  weekdays: (days) => `on ${any(days.map((one) => DAYS[one]))}`,
  presence: byPresence,
  dwell_s: (seconds) => `staying ${duration(seconds)} more`,
};

const host = (url) => { try { return new URL(url).host; } catch { return "an address"; } };
const ACTIONS = {
  mqtt: ({ topic }) => `publishes to ${topic}`,
  webhook: ({ url }) => `calls ${host(url)}`, // the rest of an address may be a key
  home_assistant: ({ name }) => `tells Home Assistant “${name}”`,
  keep_clip: ({ label }) => `keeps a clip “${label}”`,
  record: ({ duration_s, cameras }, named) => `records ${cameras ? all(cameras.map(named)) : "that camera"} for ${duration(duration_s)}`,
  privacy: ({ enabled }) => `switches privacy ${enabled ? "on" : "off"}`,
};

/** Return the sentence "When …", with all conditions and the limit. */
export function waitsFor(rule, named) {
  const events = any(rule.events.map((one) => EVENTS[one] ?? one.replaceAll("_", " ")));
  const conditions = Object.entries(rule.conditions).map(([name, value]) => CONDITIONS[name]?.(value, named) ?? name);
  const { limit } = rule;
  const times = limit && (limit.at_most === 1 ? "once" : `${limit.at_most} times`);
  const by = limit?.by && limit.by !== "rule" ? ` for each ${limit.by}` : "";
  const most = limit ? [`at most ${times} in ${duration(limit.per_s)}${by}`] : [];
  return `When ${[events, ...conditions, ...most, ...(rule.late ? ["even if told late"] : [])].join(", ")}`;
}

/** Return what a rule does, as the rest of that sentence. */
export function does(rule, named) {
  return `it ${all(rule.actions.map((action) => Object.entries(action).map(([name, values]) => ACTIONS[name]?.(values, named) ?? name).join()))}.`;
}

/** Return what became of a firing's actions. */
export function became(firing) {
  if (!firing.outcomes.length) return "under way, or cut off";
  return firing.outcomes.map((one) => (one.state === "failed" ? `${one.action} failed: ${one.reason}` : `${one.action} done`)).join("; ");
}
