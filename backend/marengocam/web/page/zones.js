// The zones of a camera, drawn on its newest picture: corners are dragged, or moved with the arrow keys.
import { call, picture } from "./api.js";
import { $, element } from "./showing.js";

const SVG = "http://www.w3.org/2000/svg";
const NEW = [[0.35, 0.45], [0.65, 0.45], [0.65, 0.85], [0.35, 0.85]]; // shares of the picture's width and height
const STEP = 0.01; // of an arrow key; with Shift five times as far
const LEAST_CORNERS = 3;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

let camera = null;
let zones = []; // { name, polygon } as they are drawn
let chosen = 0;
let untouched = "";

const share = (value) => Math.min(1, Math.max(0, Math.round(value * 1000) / 1000));
const percent = (value) => `${Math.round(value * 100)} %`;
const points = (polygon) => polygon.map(([x, y]) => `${x * 100},${y * 100}`).join(" ");

function place(handle, [x, y]) {
  handle.style.left = `${x * 100}%`;
  handle.style.top = `${y * 100}%`;
}

function drawShapes() {
  const shapes = zones.map((zone, number) => {
    const shape = document.createElementNS(SVG, "polygon");
    shape.setAttribute("points", points(zone.polygon));
    shape.classList.toggle("chosen", number === chosen);
    shape.addEventListener("click", () => choose(number));
    return shape;
  });
  $("zone-shapes").replaceChildren(...shapes);
}

function move(handle, number, [x, y]) {
  zones[chosen].polygon[number] = [share(x), share(y)];
  place(handle, zones[chosen].polygon[number]);
  label(handle, number);
  drawShapes();
}

function label(handle, number) {
  const [x, y] = zones[chosen].polygon[number];
  handle.ariaLabel = `Corner ${number + 1} of ${zones[chosen].name || "the zone"}: ${percent(x)} from the left, ${percent(y)} from the top`;
}

function drag(handle, number, began) {
  const stage = $("zone-stage").getBoundingClientRect();
  handle.setPointerCapture(began.pointerId);
  const moved = (event) => move(handle, number, [(event.clientX - stage.left) / stage.width, (event.clientY - stage.top) / stage.height]);
  const ended = () => {
    handle.removeEventListener("pointermove", moved);
    draw(number); // the middles between corners have moved
  };
  handle.addEventListener("pointermove", moved);
  handle.addEventListener("pointerup", ended, { once: true });
  handle.addEventListener("pointercancel", ended, { once: true });
}

function corner(number) {
  const handle = element("button", { type: "button", className: "corner" });
  place(handle, zones[chosen].polygon[number]);
  label(handle, number);
  handle.addEventListener("pointerdown", (event) => { handle.focus(); drag(handle, number, event); });
  handle.addEventListener("keydown", (event) => {
    const { polygon } = zones[chosen];
    if (["Delete", "Backspace"].includes(event.key) && polygon.length > LEAST_CORNERS) {
      polygon.splice(number, 1);
      draw(Math.max(0, number - 1));
    }
    const arrow = ARROWS[event.key];
    if (!arrow) return;
    event.preventDefault(); // or the page scrolls
    const far = STEP * (event.shiftKey ? 5 : 1);
    move(handle, number, polygon[number].map((value, axis) => value + arrow[axis] * far));
  });
  return handle;
}

/** Return what makes a corner between this one and the next. */
function middle(number) {
  const { polygon } = zones[chosen];
  const next = polygon[(number + 1) % polygon.length];
  const between = polygon[number].map((value, axis) => share((value + next[axis]) / 2));
  const handle = element("button", { type: "button", className: "middle", ariaLabel: `Add a corner after corner ${number + 1}` });
  place(handle, between);
  handle.addEventListener("click", () => {
    polygon.splice(number + 1, 0, between);
    draw(number + 1);
  });
  return handle;
}

function draw(focused = null) {
  drawShapes();
  const polygon = zones[chosen]?.polygon ?? [];
  const handles = polygon.flatMap((_, number) => [corner(number), middle(number)]);
  $("zone-handles").replaceChildren(...handles);
  if (focused !== null) handles[2 * focused]?.focus();
  drawList();
}

function drawList() {
  $("zone-list").replaceChildren(...zones.map((zone, number) => {
    const name = element("input", { value: zone.name, maxLength: 100, required: true, placeholder: "Front door", ariaLabel: `Name of zone ${number + 1}` });
    name.addEventListener("input", () => { zone.name = name.value; });
    name.addEventListener("focus", () => choose(number, false));
    const remove = element("button", { type: "button", textContent: "Remove", ariaLabel: `Remove ${zone.name || "the zone"}` });
    remove.addEventListener("click", () => {
      zones.splice(number, 1);
      chosen = Math.max(0, Math.min(chosen, zones.length - 1));
      draw();
      $("zone-add").focus();
    });
    return element("li", { className: number === chosen ? "chosen" : "" }, name, remove);
  }));
}

function choose(number, whole = true) {
  if (number === chosen && !whole) return;
  chosen = number;
  if (whole) { draw(0); return; }
  drawShapes();
  const handles = zones[chosen].polygon.flatMap((_, corner_number) => [corner(corner_number), middle(corner_number)]);
  $("zone-handles").replaceChildren(...handles); // the list stays: a name in it is being written
  [...$("zone-list").children].forEach((item, at) => item.classList.toggle("chosen", at === chosen));
}

const drawn = () => zones.map(({ name, polygon }) => ({ name: name.trim(), polygon }));
const mayClose = () => JSON.stringify(drawn()) === untouched || confirm("Close without saving?");

/** Open the zones of a camera. */
export async function openZones(camera_id) {
  camera = await call(`/cameras/${camera_id}`);
  zones = camera.zones.map(({ name, polygon }) => ({ name, polygon: polygon.map((one) => [...one]) }));
  chosen = 0;
  untouched = JSON.stringify(drawn());
  $("zone-error").textContent = "";
  $("zone-title").textContent = `Zones of ${camera.name}`;
  $("zone-picture").removeAttribute("src");
  $("zone-picture").alt = `Newest picture of ${camera.name}`;
  picture($("zone-picture"), `/cameras/${camera_id}/snapshot.jpg`, true).catch(() => {});
  draw();
  $("zone-editor").showModal();
  $("zone-add").focus();
}

$("zone-add").addEventListener("click", () => {
  zones.push({ name: "", polygon: NEW.map((one) => [...one]) });
  chosen = zones.length - 1;
  draw();
  $("zone-list").lastChild.querySelector("input").focus();
});
$("zone-cancel").addEventListener("click", () => { if (mayClose()) $("zone-editor").close(); });
$("zone-editor").addEventListener("cancel", (event) => { if (!mayClose()) event.preventDefault(); });
$("zone-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  $("zone-error").textContent = "";
  try {
    await call(`/cameras/${camera.camera_id}/zones`, { method: "PUT", body: JSON.stringify({ zones: drawn() }) });
    $("zone-editor").close();
  } catch (error) { $("zone-error").textContent = error.message; }
});
