// Which marks a bar of time has for who was seen: never so near one another that one hides the next.
const MOST_SHOWN = 99; // a larger number would not fit into its mark
const listed = new Intl.ListFormat("en", { type: "conjunction" });

/** Those of one kind that begin less than `least` milliseconds after the first of them are one mark. */
function apart(sightings, start, least) {
  const marks = [];
  for (const one of sightings) {
    const begins = Math.max(start, one.from);
    const last = marks.at(-1);
    if (!last || begins - last.begins >= least) { marks.push({ ...one, begins }); continue; }
    last.to = Math.max(last.to, one.to);
    last.count += one.count;
    last.person_names = [...new Set([...last.person_names, ...one.person_names])];
    if (last.label !== one.label) last.label = null;
  }
  return marks;
}

function who({ count, named, person_names: names, label }) {
  if (named) return count > 1 ? `${listed.format(names)}, ${count} sightings` : names[0];
  if (count > 1) return label === "person" ? `${count} strangers` : `${count} sightings${label ? ` (${label})` : ""}`;
  return label === "person" ? "A stranger" : label;
}

/** Return the marks of the API's sightings on a bar from `start`; persons with a name have marks of their own. */
export function marksOf(sightings, start, least) {
  return [false, true].flatMap((named) => apart(sightings.filter((one) => one.named === named), start, least))
    .map((one) => ({ ...one, who: who(one), shown: one.count === 1 ? "" : one.count > MOST_SHOWN ? `${MOST_SHOWN}+` : String(one.count) }));
}
