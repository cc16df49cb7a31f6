/** What cards that show visits have in common: they ask again whenever somebody was seen. */

import { LitElement, html, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { sightings, type HomeAssistant } from "./home-assistant";
import { STYLES } from "./styles";
import { filled, texts } from "./texts";
import { search, type Visit, type Wanted } from "./visits";

const SETTLE_MS = 1500; // a passage tells several things in a row

export abstract class VisitsCard extends LitElement {
  static override styles = STYLES;

  @property({ attribute: false }) hass?: HomeAssistant;
  @state() protected visits: Visit[] | undefined;
  @state() protected reason = "";
  private seen: string | undefined;
  private timer: number | undefined;

  /** Return what is to be asked for; undefined: nothing is chosen yet. */
  protected abstract wanted(): Wanted | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.clearTimeout(this.timer);
    this.timer = this.seen = undefined;
  }

  protected override updated(changed: Map<string, unknown>): void {
    if (!this.hass || !changed.has("hass")) return;
    const seen = sightings(this.hass);
    if (seen === this.seen) return;
    const first = this.seen === undefined;
    this.seen = seen;
    if (first) void this.refresh();
    else this.timer ??= window.setTimeout(() => void this.refresh(), SETTLE_MS);
  }

  async refresh(): Promise<void> {
    window.clearTimeout(this.timer);
    this.timer = undefined;
    const wanted = this.wanted();
    if (!this.hass || !wanted) return;
    try {
      this.visits = await search(this.hass, wanted);
      this.reason = "";
    } catch (error) {
      this.reason = (error as Error).message;
    }
  }

  /** Return what stands in the place of visits that are not there. */
  protected instead(hass: HomeAssistant): TemplateResult {
    const words = texts(hass.language);
    if (this.reason) return html`<p class="error" role="alert">${filled(words.failed, { reason: this.reason })}</p>`;
    return html`<p class="quiet">${words.loading}</p>`;
  }
}
