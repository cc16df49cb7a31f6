/** The visual editor of a card: Home Assistant's own form over the card's schema. */

import { LitElement, html, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { HomeAssistant } from "./home-assistant";

export function editorFor(schema: unknown[], labels: (language: string) => Record<string, string>): typeof LitElement {
  class Editor extends LitElement {
    @property({ attribute: false }) hass?: HomeAssistant;
    @state() private config: Record<string, unknown> = {};

    setConfig(config: Record<string, unknown>): void {
      this.config = config;
    }

    protected override render(): TemplateResult | typeof nothing {
      const hass = this.hass;
      if (!hass) return nothing;
      const words = labels(hass.language);
      return html`<ha-form
        .hass=${hass}
        .data=${this.config}
        .schema=${schema}
        .computeLabel=${(field: { name: string }) => words[field.name] ?? field.name}
        @value-changed=${(event: CustomEvent<{ value: Record<string, unknown> }>) => this.changed(event)}
      ></ha-form>`;
    }

    private changed(event: CustomEvent<{ value: Record<string, unknown> }>): void {
      event.stopPropagation();
      const filled = Object.entries(event.detail.value).filter(([, value]) => value !== "" && value !== undefined);
      this.dispatchEvent(
        new CustomEvent("config-changed", {
          detail: { config: Object.fromEntries(filled) },
          bubbles: true,
          composed: true,
        }),
      );
    }
  }
  return Editor;
}
