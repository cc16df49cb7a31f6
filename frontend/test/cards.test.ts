import { beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import type { Card, HomeAssistant } from "../src/home-assistant";
import { define } from "../src/main";
import type { Visit } from "../src/visits";

const AT = "2026-11-24T10:15:00Z";
const stop = (camera: string, from = AT, to = AT) => ({ camera_id: camera.toLowerCase(), camera, from, to });

function visit(changes: Partial<Visit> = {}): Visit {
  return {
    visit_id: "v1", identity_id: "i1", person: "Alice", first_seen_at: AT, last_seen_at: "2026-11-24T10:20:00Z",
    ended: true, path: [stop("Front door"), stop("Front door"), stop("Back yard")], picture: "/api/marengocam/p.jpg",
    ...changes,
  };
}

interface Fake extends HomeAssistant {
  visits: Visit[];
  asked: Record<string, unknown>[];
}

function home(visits: Visit[]): Fake {
  const registered = (entity_id: string, translation_key: string) => ({
    entity_id, translation_key, device_id: "d1", platform: "marengocam",
  });
  const fake: Fake = {
    visits, asked: [], language: "en", config: { time_zone: "Europe/Berlin" },
    devices: { d1: { id: "d1", name: "Alice" } },
    entities: Object.fromEntries(
      [
        registered("event.alice_presence", "presence_events"), registered("binary_sensor.alice_present", "present"),
        registered("sensor.alice_last_seen", "last_seen"), registered("image.alice_picture", "picture"),
      ].map((one) => [one.entity_id, one]),
    ),
    states: {
      "event.alice_presence": { entity_id: "event.alice_presence", state: "1", last_updated: AT, attributes: {} },
      "binary_sensor.alice_present": { entity_id: "binary_sensor.alice_present", state: "off", last_updated: AT, attributes: {} },
      "sensor.alice_last_seen": { entity_id: "sensor.alice_last_seen", state: "Back yard", last_updated: AT, attributes: { when: AT } },
      "image.alice_picture": { entity_id: "image.alice_picture", state: AT, last_updated: AT, attributes: { entity_picture: "/api/image_proxy/x?token=1" } },
    },
    callWS: vi.fn(async (message: Record<string, unknown>) => {
      fake.asked.push(message);
      if (message.type === "auth/sign_path") return { path: `${String(message.path)}?authSig=1` };
      return { response: { visits: fake.visits } };
    }) as HomeAssistant["callWS"],
    callService: vi.fn(async () => undefined),
  };
  return fake;
}

async function settled(element: Element): Promise<void> {
  for (let turn = 0; turn < 8; turn++) {
    await new Promise((done) => setTimeout(done, 0));
    await (element as unknown as { updateComplete?: Promise<unknown> }).updateComplete;
  }
}

async function shown(tag: string, config: Record<string, unknown>, hass: HomeAssistant): Promise<Card> {
  const card = document.createElement(tag) as Card;
  card.setConfig({ type: `custom:${tag}`, ...config });
  card.hass = hass;
  document.body.append(card);
  await settled(card);
  return card;
}

const list = (card: Card) => card.shadowRoot!.querySelector("marengocam-visit-list")!.shadowRoot!;
const text = (node: ParentNode) => (node as unknown as HTMLElement).textContent!.replace(/\s+/g, " ").trim();

beforeAll(define);
beforeEach(() => document.body.replaceChildren());

describe("journeys", () => {
  it("shows who came, when and which way, with a picture that needs no login", async () => {
    const card = await shown("marengocam-journeys-card", { title: "Today" }, home([visit()]));
    expect(text(card.shadowRoot!.querySelector("h2")!)).toBe("Today");
    expect(text(list(card).querySelector(".who")!)).toBe("Alice");
    expect(text(list(card).querySelector(".when")!)).toContain("11:15");
    expect([...list(card).querySelectorAll("ol li")].map((one) => text(one))).toEqual(["Front door", "Back yard"]);
    const picture = list(card).querySelector("img")!;
    expect(picture.getAttribute("src")).toBe("/api/marengocam/p.jpg?authSig=1");
    expect(picture.getAttribute("alt")).toBe("Picture of Alice");
  });

  it("says that somebody is still here only while they were just seen", async () => {
    const now = new Date().toISOString();
    const going = { ended: false, picture: null };
    const hass = home([visit({ ...going, last_seen_at: now }), visit({ ...going, visit_id: "v2" })]);
    const card = await shown("marengocam-journeys-card", {}, hass);
    const [here, gone] = [...list(card).querySelectorAll(".when")].map((one) => text(one));
    expect(here).toContain("still here");
    expect(gone).toMatch(/11:20/);
  });

  it("says when nobody came, and why nothing can be shown", async () => {
    const nobody = await shown("marengocam-journeys-card", {}, home([]));
    expect(text(list(nobody))).toContain("Nobody came.");
    const broken = home([]);
    broken.callWS = () => Promise.reject(new Error("The backend is away."));
    const failed = await shown("marengocam-journeys-card", {}, broken);
    expect(text(failed.shadowRoot!.querySelector("[role=alert]")!)).toContain("The backend is away.");
  });

  it.each([["de-AT", "Niemand kam."], ["fr", "Personne n'est venu."], ["xx", "Nobody came."]])(
    "speaks the language of who looks: %s", async (language, nobody) => {
      const card = await shown("marengocam-journeys-card", {}, { ...home([]), language });
      expect(text(list(card))).toContain(nobody);
    },
  );

  it("lets a stranger be named", async () => {
    const hass = home([visit({ person: null }), visit({ visit_id: "v2", person: "Bob", identity_id: "i2" })]);
    const card = await shown("marengocam-journeys-card", {}, hass);
    list(card).querySelector<HTMLButtonElement>(".ask")!.click();
    await settled(list(card).host);
    const input = list(card).querySelector("input")!;
    expect([...list(card).querySelectorAll("option")].map((one) => one.value)).toEqual(["Bob"]);
    input.value = " Dave ";
    list(card).querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
    await settled(list(card).host);
    expect(hass.callService).toHaveBeenCalledWith("marengocam", "name_person", { identity_id: "i1", name: "Dave" });
  });

  it("says why a name was not taken and keeps the form", async () => {
    const hass = home([visit({ person: null })]);
    hass.callService = () => Promise.reject(new Error("MarengoCam refused: too long."));
    const card = await shown("marengocam-journeys-card", {}, hass);
    list(card).querySelector<HTMLButtonElement>(".ask")!.click();
    await settled(list(card).host);
    list(card).querySelector("input")!.value = "Dave";
    list(card).querySelector("form")!.dispatchEvent(new Event("submit", { cancelable: true }));
    await settled(list(card).host);
    expect(text(list(card).querySelector("[role=alert]")!)).toContain("too long");
    expect(list(card).querySelector("form")).not.toBeNull();
  });

  it("shows names as text, whatever they hold", async () => {
    const card = await shown("marengocam-journeys-card", {}, home([visit({ person: "<img src=x onerror=alert(1)>" })]));
    expect(list(card).querySelectorAll("img").length).toBe(1);
  });

  it("asks again only when somebody was seen", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    const hass = home([visit()]);
    const card = document.createElement("marengocam-journeys-card") as Card;
    card.setConfig({ type: "x" });
    card.hass = hass;
    document.body.append(card);
    const searches = () => hass.asked.filter((one) => one.service === "search").length;
    const turn = async () => {
      for (let n = 0; n < 10; n++) await Promise.resolve();
    };
    await turn();
    const before = searches();
    card.hass = { ...hass, states: { ...hass.states } };
    await turn();
    await vi.advanceTimersByTimeAsync(3000);
    expect(searches()).toBe(before);
    const told = { ...hass.states["event.alice_presence"]!, state: "2" };
    card.hass = { ...hass, states: { ...hass.states, "event.alice_presence": told } };
    await turn();
    await vi.advanceTimersByTimeAsync(3000);
    expect(searches()).toBe(before + 1);
    vi.useRealTimers();
  });

  it("refuses a limit that makes no sense", () => {
    const card = document.createElement("marengocam-journeys-card") as Card;
    expect(() => card.setConfig({ type: "x", limit: 0 })).toThrow("from 1 to 50");
  });
});

describe("person", () => {
  it("shows where somebody was seen last, and that they are here", async () => {
    const hass = home([visit()]);
    const away = await shown("marengocam-person-card", { entity: "event.alice_presence" }, hass);
    expect(text(away.shadowRoot!)).toContain("Last seen: Back yard");
    expect(away.shadowRoot!.querySelector("img")!.getAttribute("src")).toContain("/api/image_proxy/");
    const search = hass.asked.find((one) => one.service === "search")!;
    expect((search.service_data as { person: string }).person).toBe("Alice");
    hass.states["binary_sensor.alice_present"]!.state = "on";
    const here = await shown("marengocam-person-card", { entity: "event.alice_presence" }, { ...hass });
    expect(text(here.shadowRoot!.querySelector(".here")!)).toBe("Here now: Back yard");
  });

  it("says that the backend is away, not that nobody was seen", async () => {
    const hass = home([visit()]);
    for (const state of Object.values(hass.states)) Object.assign(state!, { state: "unavailable", attributes: {} });
    const card = await shown("marengocam-person-card", { entity: "event.alice_presence" }, hass);
    expect(text(card.shadowRoot!)).toContain("MarengoCam is away");
  });

  it("asks for a person while none is chosen", async () => {
    const card = await shown("marengocam-person-card", { entity: "light.kitchen" }, home([]));
    expect(text(card.shadowRoot!)).toContain("Choose a person of MarengoCam");
  });

  it("offers the first person for a new card", () => {
    const made = customElements.get("marengocam-person-card") as unknown as { getStubConfig(hass: HomeAssistant): unknown };
    expect(made.getStubConfig(home([]))).toEqual({ entity: "event.alice_presence" });
  });
});

describe("editors", () => {
  it.each(["journeys", "person"])("of %s tell what was changed and drop what was emptied", async (name) => {
    const editor = (await shown(`marengocam-${name}-card-editor`, { limit: 3, entity: "" }, home([]))) as Card;
    const told: unknown[] = [];
    editor.addEventListener("config-changed", (event) => told.push((event as CustomEvent<{ config: unknown }>).detail.config));
    editor.shadowRoot!.querySelector("ha-form")!.dispatchEvent(
      new CustomEvent("value-changed", { detail: { value: { type: "x", title: "", limit: 5 } } }),
    );
    expect(told).toEqual([{ type: "x", limit: 5 }]);
  });
});

describe("the card picker", () => {
  const suggested = (type: string, hass: HomeAssistant, entityId: string) =>
    window.customCards!.find((one) => one.type === type)!.getEntitySuggestion(hass, entityId);

  it("is told which card suits which of our entities, and nothing for those of others", () => {
    const hass = home([]);
    hass.entities["event.front_door_person"] = {
      entity_id: "event.front_door_person", translation_key: "person_events", device_id: "d2", platform: "marengocam",
    };
    hass.entities["light.hall"] = { entity_id: "light.hall", device_id: "d1", platform: "hue" };
    const ofAlice = { config: { type: "custom:marengocam-person-card", entity: "event.alice_presence" } };
    expect(suggested("marengocam-person-card", hass, "sensor.alice_last_seen")).toEqual(ofAlice);
    expect(suggested("marengocam-person-card", hass, "event.front_door_person")).toBeNull();
    expect(suggested("marengocam-person-card", hass, "light.hall")).toBeNull();
    const journeys = { config: { type: "custom:marengocam-journeys-card" } };
    expect(suggested("marengocam-journeys-card", hass, "event.front_door_person")).toEqual(journeys);
    expect(suggested("marengocam-journeys-card", hass, "event.alice_presence")).toBeNull();
    expect(suggested("marengocam-journeys-card", hass, "light.nowhere")).toBeNull();
  });
});
