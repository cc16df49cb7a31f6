/** What the cards say, in the languages of the integration. */

const ENGLISH = {
  unknown: "Unknown",
  nobody: "Nobody came.",
  failed: "The visits cannot be shown: {reason}",
  loading: "Loading…",
  still_here: "still here",
  who: "Who is this?",
  name: "Name",
  save: "Save",
  here: "Here now",
  last_seen: "Last seen: {camera}, {time}",
  never: "Not seen yet",
  away: "MarengoCam is away",
  today: "Today",
  picture_of: "Picture of {who}",
  choose_person: "Choose a person of MarengoCam in the card's settings.",
  title: "Title",
  limit: "At most so many visits",
  entity: "Person",
  only: "Only this person",
  journeys: "MarengoCam: journeys",
  journeys_about: "Who came, when, and which way; strangers can be named.",
  person: "MarengoCam: person",
  person_about: "Whether somebody is here, and where they were seen.",
};
export type Texts = typeof ENGLISH;

const LANGUAGES: Record<string, Texts> = {
  en: ENGLISH,
  de: {
    unknown: "Unbekannt", nobody: "Niemand kam.", failed: "Die Besuche können nicht gezeigt werden: {reason}",
    loading: "Lädt…", still_here: "noch da", who: "Wer ist das?", name: "Name", save: "Speichern", here: "Jetzt da",
    last_seen: "Zuletzt gesehen: {camera}, {time}", never: "Noch nicht gesehen", away: "MarengoCam ist weg", today: "Heute",
    picture_of: "Bild von {who}", choose_person: "Wähle in den Einstellungen der Karte eine Person von MarengoCam.",
    title: "Titel", limit: "Höchstens so viele Besuche", entity: "Person", only: "Nur diese Person",
    journeys: "MarengoCam: Wege", journeys_about: "Wer kam, wann und auf welchem Weg; Fremde lassen sich benennen.",
    person: "MarengoCam: Person", person_about: "Ob jemand da ist und wo er gesehen wurde.",
  },
  fr: {
    unknown: "Inconnu", nobody: "Personne n'est venu.", failed: "Impossible de montrer les visites : {reason}",
    loading: "Chargement…", still_here: "encore là", who: "Qui est-ce ?", name: "Nom", save: "Enregistrer", here: "Présent",
    last_seen: "Vu la dernière fois : {camera}, {time}", never: "Pas encore vu", away: "MarengoCam est absent", today: "Aujourd'hui",
    picture_of: "Image de {who}", choose_person: "Choisissez une personne de MarengoCam dans les réglages de la carte.",
    title: "Titre", limit: "Nombre de visites au plus", entity: "Personne", only: "Seulement cette personne",
    journeys: "MarengoCam : trajets", journeys_about: "Qui est venu, quand et par où ; les inconnus peuvent être nommés.",
    person: "MarengoCam : personne", person_about: "Si quelqu'un est là, et où il a été vu.",
  },
  es: {
    unknown: "Desconocido", nobody: "No vino nadie.", failed: "No se pueden mostrar las visitas: {reason}",
    loading: "Cargando…", still_here: "sigue aquí", who: "¿Quién es?", name: "Nombre", save: "Guardar", here: "Aquí ahora",
    last_seen: "Visto por última vez: {camera}, {time}", never: "Aún no visto", away: "MarengoCam no responde", today: "Hoy",
    picture_of: "Imagen de {who}", choose_person: "Elige una persona de MarengoCam en los ajustes de la tarjeta.",
    title: "Título", limit: "Visitas como máximo", entity: "Persona", only: "Solo esta persona",
    journeys: "MarengoCam: recorridos", journeys_about: "Quién vino, cuándo y por dónde; los desconocidos se pueden nombrar.",
    person: "MarengoCam: persona", person_about: "Si alguien está aquí y dónde se le vio.",
  },
  nl: {
    unknown: "Onbekend", nobody: "Er kwam niemand.", failed: "De bezoeken kunnen niet worden getoond: {reason}",
    loading: "Laden…", still_here: "nog hier", who: "Wie is dit?", name: "Naam", save: "Opslaan", here: "Nu hier",
    last_seen: "Laatst gezien: {camera}, {time}", never: "Nog niet gezien", away: "MarengoCam is weg", today: "Vandaag",
    picture_of: "Foto van {who}", choose_person: "Kies een persoon van MarengoCam in de instellingen van de kaart.",
    title: "Titel", limit: "Hoogstens zoveel bezoeken", entity: "Persoon", only: "Alleen deze persoon",
    journeys: "MarengoCam: routes", journeys_about: "Wie kwam, wanneer en langs welke weg; vreemden kun je benoemen.",
    person: "MarengoCam: persoon", person_about: "Of iemand er is, en waar hij gezien werd.",
  },
};

export function texts(language: string | undefined): Texts {
  return LANGUAGES[(language ?? "en").split("-")[0]!] ?? ENGLISH;
}

export function filled(text: string, values: Record<string, string>): string {
  return text.replace(/\{(\w+)\}/g, (_, key: string) => values[key] ?? "");
}
