/** Defines the cards, once Home Assistant's page is there: while it boots it swaps the registry of elements. */

import { editorFor } from "./editor";
import { JourneysCard, journeysLabels, journeysSchema } from "./journeys-card";
import { PersonCard, personLabels, personSchema } from "./person-card";
import { journeysSuggestion, personSuggestion } from "./suggestions";
import { texts } from "./texts";
import { VisitList } from "./visit-list";

const ABOUT = "https://github.com/marengocam/marengocam/blob/main/docs/guide/home-assistant.md";
const ELEMENTS: Record<string, CustomElementConstructor> = {
  "marengocam-visit-list": VisitList,
  "marengocam-journeys-card": JourneysCard,
  "marengocam-journeys-card-editor": editorFor(journeysSchema, journeysLabels),
  "marengocam-person-card": PersonCard,
  "marengocam-person-card-editor": editorFor(personSchema, personLabels),
};

export function define(): void {
  for (const [tag, element] of Object.entries(ELEMENTS)) {
    if (!customElements.get(tag)) customElements.define(tag, element);
  }
  const words = texts(document.documentElement.lang || navigator.language);
  const cards = [
    {
      type: "marengocam-journeys-card", name: words.journeys, description: words.journeys_about,
      getEntitySuggestion: journeysSuggestion,
    },
    {
      type: "marengocam-person-card", name: words.person, description: words.person_about,
      getEntitySuggestion: personSuggestion,
    },
  ];
  window.customCards ??= [];
  for (const card of cards) {
    if (!window.customCards.some((one) => one.type === card.type)) {
      window.customCards.push({ ...card, preview: true, documentationURL: ABOUT });
    }
  }
}

void customElements.whenDefined("home-assistant").then(define);
