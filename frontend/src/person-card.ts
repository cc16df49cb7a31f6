/** One person: here or not, where and when seen last, today's visits. */

import { html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { sibling, type HomeAssistant } from "./home-assistant";
import { filled, texts } from "./texts";
import { moment, startOfDay } from "./times";
import { VisitsCard } from "./visits-card";
import type { Wanted } from "./visits";

export interface PersonConfig {
  type: string;
  entity: string;
  limit?: number;
}

const USUAL_LIMIT = 5;

export class PersonCard extends VisitsCard {
  @state() private config: PersonConfig = { type: "", entity: "" };

  static getConfigElement(): HTMLElement {
    return document.createElement("marengocam-person-card-editor");
  }

  static getStubConfig(hass: HomeAssistant): Partial<PersonConfig> {
    const first = Object.values(hass.entities).find(
      (one) => one?.platform === "marengocam" && one.translation_key === "presence_events",
    );
    return { entity: first?.entity_id ?? "" };
  }

  setConfig(config: PersonConfig): void {
    if (typeof config.entity !== "string") throw new Error("entity must be an entity of a person of MarengoCam.");
    this.config = config;
    this.visits = undefined;
    void this.refresh();
  }

  getCardSize(): number {
    return 3 + 2 * (this.visits?.length ?? 0);
  }

  getGridOptions(): Record<string, unknown> {
    return { columns: 12, min_columns: 6 };
  }

  private get deviceId(): string | undefined {
    const entity = this.hass?.entities[this.config.entity];
    return entity?.platform === "marengocam" ? entity.device_id : undefined;
  }

  private get person(): string | undefined {
    const device = this.deviceId && this.hass?.devices[this.deviceId];
    return device ? (device.name ?? undefined) : undefined;
  }

  protected override wanted(): Wanted | undefined {
    const person = this.person;
    return person ? { person, limit: this.config.limit ?? USUAL_LIMIT, from: startOfDay() } : undefined;
  }

  protected override render(): TemplateResult | typeof nothing {
    const hass = this.hass;
    if (!hass) return nothing;
    const words = texts(hass.language);
    const deviceId = this.deviceId;
    if (!deviceId || !sibling(hass, deviceId, "binary_sensor", "present")) {
      return html`<ha-card><p class="quiet">${words.choose_person}</p></ha-card>`;
    }
    const device = hass.devices[deviceId];
    const who = device?.name_by_user ?? device?.name ?? words.unknown;
    const picture = sibling(hass, deviceId, "image", "picture")?.attributes.entity_picture;
    return html`
      <ha-card>
        <div class="person">
          ${typeof picture === "string"
            ? html`<img class="picture portrait" src=${picture} alt=${filled(words.picture_of, { who })} />`
            : html`<div class="picture portrait"></div>`}
          <div class="words">
            <h2>${who}</h2>
            ${this.whereabouts(hass, deviceId)}
            <div class="quiet">${words.today}</div>
          </div>
        </div>
        ${this.visits && !this.reason
          ? html`<marengocam-visit-list nameless .hass=${hass} .visits=${this.visits}></marengocam-visit-list>`
          : this.instead(hass)}
      </ha-card>
    `;
  }

  private whereabouts(hass: HomeAssistant, deviceId: string): TemplateResult {
    const words = texts(hass.language);
    if (sibling(hass, deviceId, "binary_sensor", "present")?.state === "on") {
      return html`<p class="here">${words.here}: ${sibling(hass, deviceId, "sensor", "last_seen")?.state}</p>`;
    }
    const seen = sibling(hass, deviceId, "sensor", "last_seen");
    const when = seen?.attributes.when;
    if (seen?.state === "unavailable") return html`<p class="quiet">${words.away}</p>`;
    if (!seen || typeof when !== "string") return html`<p class="quiet">${words.never}</p>`;
    return html`<p>${filled(words.last_seen, { camera: seen.state, time: moment(hass, when) })}</p>`;
  }
}

export const personSchema = [
  { name: "entity", required: true, selector: { entity: { filter: { integration: "marengocam", domain: "event" } } } },
  { name: "limit", selector: { number: { min: 1, max: 50, mode: "box" } } },
];
export const personLabels = (language: string): Record<string, string> => {
  const words = texts(language);
  return { entity: words.entity, limit: words.limit };
};
