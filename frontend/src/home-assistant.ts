/** The little of Home Assistant's frontend that the cards use. */

export interface State {
  entity_id: string;
  state: string;
  last_updated: string;
  attributes: Record<string, unknown>;
}

export interface RegisteredEntity {
  entity_id: string;
  device_id?: string;
  platform: string;
  translation_key?: string;
}

export interface HomeAssistant {
  language: string;
  locale?: { time_format?: string };
  config?: { time_zone?: string };
  states: Record<string, State | undefined>;
  entities: Record<string, RegisteredEntity | undefined>;
  devices: Record<string, { id: string; name: string | null; name_by_user?: string | null } | undefined>;
  callWS<Answer>(message: Record<string, unknown>): Promise<Answer>;
  callService(domain: string, service: string, data: Record<string, unknown>): Promise<unknown>;
}

/** A card as Lovelace makes it; `hass` is set anew at every change of any state. */
export interface Card extends HTMLElement {
  hass?: HomeAssistant;
  setConfig(config: Record<string, unknown>): void;
  getCardSize(): number;
}

declare global {
  interface Window {
    customCards?: {
      type: string;
      name: string;
      description: string;
      preview: boolean;
      documentationURL: string;
      getEntitySuggestion: (hass: HomeAssistant, entityId: string) => { config: Record<string, unknown> } | null;
    }[];
  }
}

/** Return those of our entities that tell by changing that something was seen. */
export function sightings(hass: HomeAssistant): string {
  return Object.values(hass.entities)
    .filter((one) => one?.platform === "marengocam" && one.entity_id.startsWith("event."))
    .map((one) => hass.states[one!.entity_id]?.state ?? "")
    .join();
}

/** Return the state of a device's entity with this translation key, if there is one. */
export function sibling(hass: HomeAssistant, deviceId: string, domain: string, key: string): State | undefined {
  const found = Object.values(hass.entities).find(
    (one) => one?.device_id === deviceId && one.translation_key === key && one.entity_id.startsWith(`${domain}.`),
  );
  return found && hass.states[found.entity_id];
}
