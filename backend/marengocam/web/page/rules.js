// Rules: what they wait for and do, switched, tried on the past, written as YAML, removed; what became of them.
import { call, patch, post } from "./api.js";
import { happening } from "./event_words.js";
import { became, does, waitsFor } from "./rule_words.js";
import { $, element, exchange, newest, time } from "./showing.js";

const FIRINGS_READ = 500; // for all rules at once
const FIRINGS_SHOWN = 3; // of each rule
const TRIED_SHOWN = 5;
const DAY_MS = 86_400_000;
const EXAMPLE = `name: Somebody at the door
events: person_detected
conditions:
  cameras: front_door
limit: {at_most: 1, per_s: 600}
actions:
- keep_clip: {label: "Somebody on {{ event.camera }}"}
`;
const NOT_ALLOWED = "Rules may hold keys: a token with the scope write shows them.";

const trials = new Map(); // rule id -> what its last trial found, kept while the page is open
let edited = null; // the rule in the editor; null while a new one is written
let untouched = ""; // the editor's text as it was opened

async function attempt(action) {
  $("rules-error").textContent = "";
  try { await action(); } catch (error) { $("rules-error").textContent = error.message; }
}

const stretch = () => ({ from_at: new Date(Date.now() - $("rule-days").value * DAY_MS).toISOString() });

function trialShown(tried) {
  const fired = tried.events.slice(0, TRIED_SHOWN).map((event) => {
    const [who, where] = happening(event);
    return element("li", { textContent: `${time(event.occurred_at)} ${who} ${where}` });
  });
  if (tried.fired > fired.length) fired.push(element("li", { textContent: `and ${tried.fired - fired.length} before` }));
  const against = Object.entries(tried.reasons).sort(([, one], [, other]) => other - one)
    .map(([reason, count]) => element("li", { textContent: `${count === 1 ? "1 event" : `${count} events`} did not: ${reason}` }));
  return [element("p", { textContent: tried.summary }), element("ul", { className: "log" }, ...fired, ...against)];
}

function firingItem(firing, named) {
  const about = [firing.person_name, firing.camera_id && `on ${named(firing.camera_id)}`].filter(Boolean).join(" ");
  const failed = firing.outcomes.some((one) => one.state === "failed");
  return element("li", { className: failed ? "failed" : "", textContent: [time(firing.fired_at), about, became(firing)].filter(Boolean).join(" · ") });
}

function switchOf(rule) {
  const box = element("input", { type: "checkbox", checked: rule.enabled, ariaLabel: `${rule.name} may act` });
  box.setAttribute("role", "switch");
  box.dataset.purpose = "switch";
  box.addEventListener("change", () => attempt(async () => {
    try { await patch(`/rules/${rule.rule_id}`, { enabled: box.checked }); } catch (error) {
      box.checked = rule.enabled;
      throw error;
    }
    await loadRules();
  }));
  return box;
}

function ruleItem(rule, firings, named) {
  const trial = element("div", { className: "trial", role: "status" });
  if (trials.has(rule.rule_id)) trial.append(...trialShown(trials.get(rule.rule_id)));
  const button = (textContent, purpose, action) => {
    const made = element("button", { type: "button", textContent, ariaLabel: `${textContent}: ${rule.name}` });
    made.dataset.purpose = purpose;
    made.addEventListener("click", () => attempt(action));
    return made;
  };
  const tryIt = button("Would it have fired?", "try", async () => {
    trials.set(rule.rule_id, await post(`/rules/${rule.rule_id}/try`, stretch()));
    trial.replaceChildren(...trialShown(trials.get(rule.rule_id)));
  });
  const edit = button("Edit", "edit", async () => openEditor(rule, await call(`/rules/${rule.rule_id}/rule.yaml`)));
  const remove = button("Remove", "remove", async () => {
    if (!confirm(`Remove the rule “${rule.name}” for good?`)) return;
    await call(`/rules/${rule.rule_id}`, { method: "DELETE" });
    trials.delete(rule.rule_id);
    await loadRules();
    $("rule-add").focus();
  });
  const shown = firings.slice(0, FIRINGS_SHOWN).map((one) => firingItem(one, named));
  const item = element("li", { className: rule.enabled ? "" : "resting" },
    element("label", { className: "switch" }, switchOf(rule), element("strong", { textContent: rule.name })),
    element("p", { textContent: `${waitsFor(rule, named)}: ${does(rule, named)}` }),
    element("ul", { className: "log", ariaLabel: `Last firings of ${rule.name}` }, ...(shown.length ? shown : [element("li", { textContent: "No firing in the last 30 days." })])),
    trial, element("div", { className: "row" }, tryIt, edit, remove));
  item.dataset.id = rule.rule_id;
  return item;
}

/** Return firings by rule; those of a rule that others crowd out are asked for alone. */
async function firingsOf(rules) {
  const { firings } = await call(`/rules/firings?limit=${FIRINGS_READ}`);
  const found = new Map();
  firings.forEach((one) => found.set(one.rule_id, [...(found.get(one.rule_id) ?? []), one]));
  if (firings.length < FIRINGS_READ) return found;
  for (const { rule_id } of rules.filter((rule) => !found.has(rule.rule_id))) {
    found.set(rule_id, (await call(`/rules/${rule_id}/firings?limit=${FIRINGS_SHOWN}`)).firings);
  }
  return found;
}

async function readRules() {
  try {
    const [{ rules }, { cameras }] = await Promise.all([call("/rules"), call("/cameras")]);
    return { rules, firings: await firingsOf(rules), names: new Map(cameras.map((one) => [one.camera_id, one.name])) };
  } catch (error) {
    if (error.status !== 403) throw error;
    return { rules: [], refused: true };
  }
}

export const loadRules = newest(readRules, ({ rules, firings, names, refused = false }) => {
  const named = (cameraId) => names.get(cameraId) ?? cameraId;
  if (refused) $("rules").dataset.empty = NOT_ALLOWED;
  $("rule-add").disabled = refused;
  exchange($("rules"), rules.map((rule) => ruleItem(rule, firings.get(rule.rule_id) ?? [], named)));
});

function openEditor(rule, text) {
  edited = rule;
  untouched = text;
  $("rule-editor-title").textContent = rule ? `Rule “${rule.name}”` : "A new rule";
  $("rule-yaml").value = text;
  $("rule-trial").replaceChildren();
  showError(null);
  $("rule-editor").showModal();
  $("rule-yaml").focus();
  $("rule-yaml").setSelectionRange(0, 0);
}

function showError(error) {
  const field = $("rule-yaml");
  field.ariaInvalid = error ? "true" : "false";
  $("rule-error").textContent = error ? `${error.line ? `Line ${error.line}: ` : ""}${error.message}` : "";
  if (!error?.line) return;
  const lines = field.value.split("\n");
  const start = lines.slice(0, error.line - 1).join("\n").length + (error.line > 1 ? 1 : 0);
  field.focus();
  field.setSelectionRange(start, start + (lines[error.line - 1] ?? "").length);
  field.scrollTop = Math.max(0, (error.line - 3) * field.scrollHeight / lines.length);
}

async function attemptInEditor(action) {
  showError(null);
  try { await action((await post("/rules/read", { yaml: $("rule-yaml").value })).rule); } catch (error) { showError(error); }
}

const mayClose = () => $("rule-yaml").value === untouched || confirm("Close without saving?");

$("rule-add").addEventListener("click", () => openEditor(null, EXAMPLE));
$("rule-cancel").addEventListener("click", () => { if (mayClose()) $("rule-editor").close(); });
$("rule-editor").addEventListener("cancel", (event) => { if (!mayClose()) event.preventDefault(); });
$("rule-try").addEventListener("click", () => attemptInEditor(async (rule) => {
  $("rule-trial").replaceChildren(...trialShown(await post("/rules/try", { rule, ...stretch() })));
}));
$("rule-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attemptInEditor(async (rule) => {
    await (edited ? patch(`/rules/${edited.rule_id}`, rule) : post("/rules", rule));
    if (edited) trials.delete(edited.rule_id);
    $("rule-editor").close();
    await attempt(loadRules);
  });
});
