// What evidence says, in words: each cue's name and what is known of it.
const seconds = (value) => `${Math.round(value)} s`;
const likeness = (detail) => (detail.cosine == null ? "" : `${Math.round(detail.cosine * 100)} of 100 alike${detail.compared > 1 ? `, of ${detail.compared} looks compared` : ""}`);
const way = (detail) => {
  const took = detail.usual_s == null ? "" : `took ${seconds(detail.seconds)}, usually ${seconds(detail.usual_s)}`;
  const taken = detail.of == null ? "" : `${Math.round(detail.went)} of ${Math.round(detail.of)} went that way`;
  return [took, taken].filter(Boolean).join("; ");
};

export const CUES = {
  face: ["The face", likeness],
  name: ["A face engine's word", (detail) => (detail.name ? `${detail.engine} says ${detail.name}` : "")],
  appearance: ["Clothes and build", likeness],
  continuation: ["Goes on where another track ended", (detail) => (detail.seconds == null ? "" : `${seconds(detail.seconds)} apart`)],
  same_place: ["Stands on the same spot at the same time", () => ""],
  elsewhere: ["Seen in another view at the same time", () => ""],
  transit: ["The way from the other camera", way],
  stay: ["Taken for the same until now", () => ""],
  past_faces: ["All faces shown so far", (detail) => (detail.faces ? `${detail.faces} faces` : likeness(detail))],
  past_appearance: ["All looks of this visit", likeness],
  way: ["The way of both through the cameras", () => ""],
};

/** What speaks for a name, in a word or two; what is left out is no sight of anything. */
export const BRIEFLY = {
  face: "face",
  name: "a face engine",
  appearance: "clothes",
  continuation: "going on",
  same_place: "the same spot",
  elsewhere: "another view",
  transit: "the way",
  past_faces: "earlier faces",
  past_appearance: "earlier looks",
  way: "the way",
};

const STRENGTHS = [[4.6, "very strongly"], [2.3, "strongly"], [0.7, "somewhat"], [0, "hardly"]]; // from 100, 10, 2 to one

/** Return how strongly a logarithm of a likelihood ratio speaks. */
export function strength(logRatio) {
  const [, word] = STRENGTHS.find(([least]) => Math.abs(logRatio) >= least);
  return `${word} ${logRatio < 0 ? "against it" : "for it"}`;
}

/** Return how much less likely something is whose log-odds are less by this margin. */
export function lessLikely(margin) {
  const times = Math.exp(margin);
  if (times < 1.5) return "about as likely";
  return times > 1000 ? "over a thousand times less likely" : `${Math.round(times)} times less likely`;
}
