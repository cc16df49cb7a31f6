/** A list of visits: picture, who, when, which way; strangers are named in place. */

import { LitElement, html, nothing, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import type { HomeAssistant } from "./home-assistant";
import { STYLES } from "./styles";
import { filled, texts } from "./texts";
import { moment, timeOfDay } from "./times";
import { Pictures, name, way, type Visit } from "./visits";

const PICTURES = new Pictures();
const FRESH_MS = 45_000; // a visit ends minutes after the last sight; until then nobody knows

export class VisitList extends LitElement {
  static override styles = STYLES;

  @property({ attribute: false }) hass!: HomeAssistant;
  @property({ attribute: false }) visits: Visit[] = [];
  @property({ attribute: false }) persons: string[] = [];
  @property({ attribute: false }) configEntryId: string | undefined;
  @property({ type: Boolean }) nameless = false; // who it is stands above the list already
  @state() private addresses: Record<string, string> = {};
  @state() private asked = "";
  @state() private saving = false;
  @state() private reason = "";

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("visits")) void this.fetchPictures();
  }

  private async fetchPictures(): Promise<void> {
    const wanted = this.visits.flatMap((visit) => (visit.picture ? [visit.picture] : []));
    const found = await Promise.allSettled(
      wanted.map(async (path) => [path, await PICTURES.address(this.hass, path)] as const),
    );
    const pairs = found.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
    this.addresses = { ...this.addresses, ...Object.fromEntries(pairs) };
  }

  protected override render(): TemplateResult {
    const words = texts(this.hass.language);
    if (!this.visits.length) return html`<p class="quiet">${words.nobody}</p>`;
    return html`
      <ul>${this.visits.map((visit) => this.visit(visit))}</ul>
      <datalist id="known">${this.persons.map((one) => html`<option value=${one}></option>`)}</datalist>
    `;
  }

  private visit(visit: Visit): TemplateResult {
    const words = texts(this.hass.language);
    const who = visit.person ?? words.unknown;
    const address = visit.picture ? this.addresses[visit.picture] : undefined;
    const fresh = Date.now() - Date.parse(visit.last_seen_at) < FRESH_MS;
    const until = !visit.ended && fresh ? words.still_here : timeOfDay(this.hass, visit.last_seen_at);
    return html`
      <li class=${visit.person ? "" : "stranger"}>
        ${address
          ? html`<img class="picture" loading="lazy" src=${address} alt=${filled(words.picture_of, { who })} />`
          : html`<div class="picture"></div>`}
        <div class="words">
          ${this.nameless ? nothing : html`<div class="who">${who}</div>`}
          <div class="when">${moment(this.hass, visit.first_seen_at)} – ${until}</div>
          <ol>${way(visit).map((stop) => html`<li title=${timeOfDay(this.hass, stop.from)}>${stop.camera}</li>`)}</ol>
          ${visit.person ? nothing : this.naming(visit)}
        </div>
      </li>
    `;
  }

  private naming(visit: Visit): TemplateResult {
    const words = texts(this.hass.language);
    if (this.asked !== visit.visit_id) {
      return html`<button class="ask" @click=${() => this.ask(visit)}>${words.who}</button>`;
    }
    return html`
      <form @submit=${(event: SubmitEvent) => this.save(event, visit)}>
        <input list="known" name="name" aria-label=${words.name} placeholder=${words.name} maxlength="100" required />
        <button type="submit" ?disabled=${this.saving}>${words.save}</button>
      </form>
      ${this.reason ? html`<p class="error" role="alert">${this.reason}</p>` : nothing}
    `;
  }

  private ask(visit: Visit): void {
    this.asked = visit.visit_id;
    this.reason = "";
    void this.updateComplete.then(() => this.renderRoot.querySelector("input")?.focus());
  }

  private async save(event: SubmitEvent, visit: Visit): Promise<void> {
    event.preventDefault();
    const who = (this.renderRoot.querySelector("input")?.value ?? "").trim();
    if (!who) return;
    this.saving = true;
    try {
      await name(this.hass, visit, who, this.configEntryId);
      this.asked = this.reason = "";
      this.visits = this.visits.map((one) => (one.identity_id === visit.identity_id ? { ...one, person: who } : one));
      this.dispatchEvent(new CustomEvent("named"));
    } catch (error) {
      this.reason = (error as Error).message;
    } finally {
      this.saving = false;
    }
  }
}
