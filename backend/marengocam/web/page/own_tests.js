// An owner's own tests: moments with what should be seen, their last outcomes, run before a model or a setting is taken.
import { call, post } from "./api.js";
import { $, element, exchange, newest, time } from "./showing.js";
import { cameraName, loadReplays, wanted } from "./time_machine.js";

const FIELDS = { name: "test-name", camera_id: "test-camera", at: "test-from", after_s: "test-to", expected: "test-expected" };
const LABELS = ["person", "unknown", "nothing", "movement", "car", "dog", "cat"];

function showError(error) {
  Object.values(FIELDS).forEach((id) => $(id).removeAttribute("aria-invalid"));
  $("tests-error").textContent = error?.message ?? "";
  const field = error && $(FIELDS[error.field]);
  if (!field) return;
  field.ariaInvalid = "true";
  field.focus();
}

async function attempt(action) {
  showError(null);
  try { await action(); } catch (error) { showError(error); }
}

const problem = (message, field) => Object.assign(new Error(message), { field });

function given() {
  const from = new Date($("test-from").value);
  const after_s = (new Date($("test-to").value) - from) / 1000;
  if (!(after_s >= 1 && after_s <= 600)) throw problem("A test is 1 second to 10 minutes long.", "after_s");
  const [name, expected] = [$("test-name").value.trim(), $("test-expected").value.trim()];
  return { name, expected, camera_id: $("test-camera").value, at: from.toISOString(), before_s: 0, after_s };
}

async function run(names) {
  await post("/replays/suite", { names, ...wanted("test") });
  await loadReplays();
}

const STATES = new Map([[null, ["never run", ""]], [true, ["passed", "ok"]], [false, ["failed", "failing"]]]);

function item(test) {
  const [state, dot] = STATES.get(test.passed);
  const button = (textContent, purpose, action) => {
    const made = element("button", { type: "button", textContent, ariaLabel: `${textContent}: ${test.name}` });
    made.dataset.purpose = purpose;
    made.addEventListener("click", () => attempt(action));
    return made;
  };
  const remove = button("Remove", "remove", async () => {
    if (!confirm(`Remove the test “${test.name}” and the recording kept for it?`)) return;
    await call(`/replays/cases/${test.case_id}`, { method: "DELETE" });
    await loadTests();
    $("test-name").focus();
  });
  const outcome = test.ran_at ? `${state} ${time(test.ran_at)}${test.passed ? "" : `: saw ${test.seen}`}` : state;
  const what = element("span", { className: "what" },
    element("strong", { textContent: test.name }),
    element("small", { textContent: `${cameraName(test.camera_id)}, ${time(test.from_at)} to ${time(test.to_at)}` }),
    element("small", { textContent: `expected: ${test.expected}` }),
    element("small", { className: test.passed === false ? "failed" : "", textContent: outcome }));
  const made = element("li", {}, element("span", { className: `dot ${dot}` }), what, button("Run", "run", () => run([test.name])), remove);
  made.dataset.id = test.case_id;
  return made;
}

export const loadTests = newest(() => call("/replays/cases"), ({ cases }) => {
  $("test-run").disabled = !cases.length;
  exchange($("tests"), cases.map(item));
});

/** Offer what may be expected, the persons with a name among it. */
export function showExpectations(persons) {
  const words = [...LABELS, ...persons.map((person) => `person:${person.name}`)];
  $("test-expectations").replaceChildren(...words.map((value) => element("option", { value })));
}

function local(text) {
  const at = new Date(text);
  at.setMinutes(at.getMinutes() - at.getTimezoneOffset());
  return at.toISOString().slice(0, 19);
}

$("test-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    await post("/replays/cases", given());
    $("test-name").value = "";
    await loadTests();
  });
});
$("test-run").addEventListener("click", () => attempt(() => run([])));
// A run of the Time Machine is taken over as a test's moment.
$("replays").addEventListener("click", ({ target }) => {
  if (!target.dataset.testFrom) return;
  const { testCamera, testFrom, testTo } = target.dataset;
  $("test-camera").value = testCamera;
  $("test-from").value = local(testFrom);
  $("test-to").value = local(testTo);
  $("test-name").focus();
});
