/** What the cards say: `cards` of translations/, put into the built file; in English where a language is missing. */

type Language = typeof import("../../translations/en.json");
export type Texts = Language["cards"];

const LANGUAGES = import.meta.glob<Texts>("../../translations/*.json", { eager: true, import: "cards" });

function inLanguage(code: string): Texts | undefined {
  return LANGUAGES[`../../translations/${code}.json`];
}

export function texts(language: string | undefined): Texts {
  return inLanguage((language ?? "en").split("-")[0]!) ?? inLanguage("en")!;
}

export function filled(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? "");
}
