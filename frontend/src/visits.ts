/** Visits, as the integration's action `search` answers them. */

import type { HomeAssistant } from "./home-assistant";

export interface Stop {
  camera_id: string;
  camera: string;
  from: string;
  to: string;
}

export interface Visit {
  visit_id: string;
  identity_id: string;
  person: string | null;
  first_seen_at: string;
  last_seen_at: string;
  ended: boolean;
  path: Stop[];
  picture: string | null;
}

export interface Wanted {
  person?: string;
  from?: Date;
  limit: number;
  config_entry_id?: string;
}

export async function search(hass: HomeAssistant, wanted: Wanted): Promise<Visit[]> {
  const service_data: Record<string, unknown> = { limit: wanted.limit };
  if (wanted.person) service_data.person = wanted.person;
  if (wanted.from) service_data.from = wanted.from.toISOString();
  if (wanted.config_entry_id) service_data.config_entry_id = wanted.config_entry_id;
  const answer = await hass.callWS<{ response: { visits: Visit[] } }>({
    type: "call_service",
    domain: "marengocam",
    service: "search",
    service_data,
    return_response: true,
  });
  return answer.response.visits;
}

/** Say who an unknown visitor is; all their visits get the name. */
export async function name(hass: HomeAssistant, visit: Visit, who: string, configEntryId?: string): Promise<void> {
  const data: Record<string, unknown> = { identity_id: visit.identity_id, name: who };
  if (configEntryId) data.config_entry_id = configEntryId;
  await hass.callService("marengocam", "name_person", data);
}

const SIGNED_FOR_S = 3600;

/** Hands out addresses that a browser can open without a login, each signed once and anew before it ends. */
export class Pictures {
  private known = new Map<string, { address: string; until: number }>();

  async address(hass: HomeAssistant, path: string): Promise<string> {
    const now = Date.now() / 1000;
    const before = this.known.get(path);
    if (before && before.until > now) return before.address;
    const { path: address } = await hass.callWS<{ path: string }>({
      type: "auth/sign_path",
      path,
      expires: SIGNED_FOR_S,
    });
    this.known.set(path, { address, until: now + SIGNED_FOR_S / 2 });
    return address;
  }
}

/** Join stops that follow each other on one camera. */
export function way(visit: Visit): Stop[] {
  const stops: Stop[] = [];
  for (const stop of visit.path) {
    const last = stops.at(-1);
    if (last && last.camera_id === stop.camera_id) stops[stops.length - 1] = { ...last, to: stop.to };
    else stops.push(stop);
  }
  return stops;
}
