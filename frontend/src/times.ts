/** Times as the owner's clock shows them. */

import type { HomeAssistant } from "./home-assistant";

function options(hass: HomeAssistant): Intl.DateTimeFormatOptions {
  const twelve = hass.locale?.time_format === "12";
  const zone = hass.config?.time_zone;
  return { hour: "2-digit", minute: "2-digit", hour12: twelve, ...(zone ? { timeZone: zone } : {}) };
}

export function timeOfDay(hass: HomeAssistant, at: string): string {
  return new Date(at).toLocaleTimeString(hass.language, options(hass));
}

/** Return the time of day, with the day before it unless that is today. */
export function moment(hass: HomeAssistant, at: string, now = new Date()): string {
  const zone = hass.config?.time_zone;
  const day = (one: Date) => one.toLocaleDateString("en-CA", zone ? { timeZone: zone } : {});
  const when = new Date(at);
  if (day(when) === day(now)) return timeOfDay(hass, at);
  const date = when.toLocaleDateString(hass.language, {
    weekday: "short", day: "numeric", month: "short", ...(zone ? { timeZone: zone } : {}),
  });
  return `${date}, ${timeOfDay(hass, at)}`;
}

/** Return the beginning of the owner's day as the browser knows it. */
export function startOfDay(now = new Date()): Date {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate());
}
