/** What Home Assistant's card picker (2026.6 and newer) suggests for an entity of ours. */

import type { HomeAssistant } from "./home-assistant";

export interface Suggestion {
  config: Record<string, unknown>;
}

/** Suggest the card of a person for whatever belongs to them. */
export function personSuggestion(hass: HomeAssistant, entityId: string): Suggestion | null {
  const chosen = hass.entities[entityId];
  if (chosen?.platform !== "marengocam") return null;
  const presence = Object.values(hass.entities).find(
    (one) => one?.device_id === chosen.device_id && one?.translation_key === "presence_events",
  );
  return presence ? { config: { type: "custom:marengocam-person-card", entity: presence.entity_id } } : null;
}

/** Suggest the card of journeys for what tells who passed a camera. */
export function journeysSuggestion(hass: HomeAssistant, entityId: string): Suggestion | null {
  const chosen = hass.entities[entityId];
  if (chosen?.platform !== "marengocam" || chosen.translation_key !== "person_events") return null;
  return { config: { type: "custom:marengocam-journeys-card" } };
}
