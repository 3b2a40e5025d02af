/** The model's description, apart from the other texts so that the page starts without those. */

/** Split the server's model description into name and basis: "pretrained", "learned on …". */
export function modelParts(model: string): [string, string] {
  const [, name, rest] = /^(.+?)(?:: |, | on (?=\d)| (?=\()| · )(.+)$/.exec(model) ?? [
    '',
    model,
    '',
  ];
  return [name, rest];
}
