/** Who came, when, and which way. */

import { html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { texts } from "./texts";
import { VisitsCard } from "./visits-card";
import type { Wanted } from "./visits";

export interface JourneysConfig {
  type: string;
  title?: string;
  limit?: number;
  person?: string;
  config_entry_id?: string;
}

const USUAL_LIMIT = 8;
const HIGHEST_LIMIT = 50;

export class JourneysCard extends VisitsCard {
  @state() private config: JourneysConfig = { type: "" };

  static getConfigElement(): HTMLElement {
    return document.createElement("marengocam-journeys-card-editor");
  }

  static getStubConfig(): Partial<JourneysConfig> {
    return { limit: USUAL_LIMIT };
  }

  setConfig(config: JourneysConfig): void {
    const limit = config.limit ?? USUAL_LIMIT;
    if (!Number.isInteger(limit) || limit < 1 || limit > HIGHEST_LIMIT) {
      throw new Error(`limit must be a whole number from 1 to ${HIGHEST_LIMIT}.`);
    }
    this.config = config;
    void this.refresh();
  }

  getCardSize(): number {
    return 1 + 2 * (this.visits?.length ?? 2);
  }

  getGridOptions(): Record<string, unknown> {
    return { columns: 12, min_columns: 6 };
  }

  protected override wanted(): Wanted {
    const { limit, person, config_entry_id } = this.config;
    return {
      limit: limit ?? USUAL_LIMIT,
      ...(person ? { person } : {}),
      ...(config_entry_id ? { config_entry_id } : {}),
    };
  }

  protected override render(): TemplateResult | typeof nothing {
    const hass = this.hass;
    if (!hass) return nothing;
    const persons = [...new Set((this.visits ?? []).flatMap((one) => (one.person ? [one.person] : [])))];
    return html`
      <ha-card>
        ${this.config.title ? html`<h2>${this.config.title}</h2>` : nothing}
        ${this.visits && !this.reason
          ? html`<marengocam-visit-list
              .hass=${hass}
              .visits=${this.visits}
              .persons=${persons}
              .configEntryId=${this.config.config_entry_id}
              @named=${() => this.refresh()}
            ></marengocam-visit-list>`
          : this.instead(hass)}
      </ha-card>
    `;
  }
}

export const journeysSchema = [
  { name: "title", selector: { text: {} } },
  { name: "person", selector: { text: {} } },
  { name: "limit", selector: { number: { min: 1, max: HIGHEST_LIMIT, mode: "box" } } },
];
export const journeysLabels = (language: string): Record<string, string> => {
  const words = texts(language);
  return { title: words.title, person: words.only, limit: words.limit };
};
