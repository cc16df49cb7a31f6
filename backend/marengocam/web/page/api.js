// The API as this page calls it, and who is signed in.
export const ROOT = new URL(".", location.href).pathname; // "/", or the path under which Home Assistant's ingress shows us
export const INGRESS = document.documentElement.dataset.session === "ingress"; // Home Assistant has logged us in: no token
const API = `${ROOT}api/v1`;
const KEY = "marengocam-token";
const REFUSED = "This token opens nothing any more: make a new one.";

export const session = {
  token: sessionStorage.getItem(KEY),
  refused: () => {}, // called with a sentence when the token opens nothing any more
  keep() { if (this.token) sessionStorage.setItem(KEY, this.token); },
  forget() { sessionStorage.removeItem(KEY); this.token = null; },
};
const pictures = new Map(); // path -> object URL

export class ApiError extends Error {
  constructor(status, { message, field, line }) { super(message); Object.assign(this, { status, field, line }); }
}

const login = () => (session.token ? { Authorization: `Bearer ${session.token}` } : {});

export async function call(path, options = {}) {
  const answer = await asked(path, { ...options, headers: { "Content-Type": "application/json" } });
  if (answer.status === 204) return null;
  return answer.headers.get("Content-Type").startsWith("application/json") ? answer.json() : answer.text();
}

export const patch = (path, body) => call(path, { method: "PATCH", body: JSON.stringify(body) });
export const post = (path, body) => call(path, { method: "POST", body: JSON.stringify(body) });

async function asked(path, options = {}) {
  const answer = await fetch(API + path, { ...options, headers: { ...login(), ...options.headers } });
  if (answer.ok) return answer;
  if (answer.status === 401) session.refused(REFUSED);
  const body = await answer.json().catch(() => null);
  throw new ApiError(answer.status, body?.error ?? { message: `Answer ${answer.status}` });
}

/** Return a file as an object URL, which its caller revokes. */
export const file = async (path) => URL.createObjectURL(await (await asked(path)).blob());

export async function picture(image, path, fresh = false) {
  if (!fresh && pictures.has(path)) { image.src = pictures.get(path); return; }
  const url = await file(path);
  const old = pictures.get(path);
  pictures.set(path, url);
  image.src = url;
  if (old) setTimeout(() => URL.revokeObjectURL(old), 1000);
}

export function forgetPictures() {
  pictures.forEach((url) => URL.revokeObjectURL(url));
  pictures.clear();
}
