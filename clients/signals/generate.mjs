// Makes consent strings with the IAB's own encoders, edits most of them, and says how
// the IAB's own decoders read each: one JSON line per string, the same for the same seed.
//
//   node signals/generate.mjs SEED COUNT
import { SegmentEncoder, Segment, TCModel, TCString, PurposeRestriction } from "@iabtcf/core";
import { GppModel, HeaderV1, TcfEuV2 } from "@iabgpp/cmpapi";

const [seed, count] = process.argv.slice(2).map(Number);
const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// mulberry32: small, and the same everywhere.
let state = seed >>> 0;
function random() {
  state = (state + 0x6d2b79f5) >>> 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
}
const upTo = (n) => Math.floor(random() * n);
const chance = (p) => random() < p;
const pick = (list) => list[upTo(list.length)];
const some = (n, p) => Array.from({ length: n }, (_, i) => i + 1).filter(() => chance(p));
const word = () => pick(letters.slice(0, 26)) + pick(letters.slice(0, 26));

// vendors: few and far, dense, a run of neighbours, or none.
function vendors() {
  const start = 1 + upTo(60);
  return pick([
    () => [],
    () => some(1 + upTo(40), random()),
    () => some(1 + upTo(300), 0.02),
    () => Array.from({ length: 1 + upTo(200) }, (_, i) => start + i),
    () => [1 + upTo(1200), 1 + upTo(1200), 28],
  ])();
}

// moment is between 2020 and 2027: before, at and after the day from which strings need
// the segment of disclosed vendors, and some from the future.
function moment() {
  const edge = Date.UTC(2026, 2, 1);
  return new Date(chance(0.2) ? edge + (upTo(20) - 10) * 36e5 : Date.UTC(2020, 0, 1) + Math.floor(random() * 2.2e11));
}

function model() {
  const m = new TCModel();
  m.created = moment();
  m.lastUpdated = chance(0.8) ? m.created : moment();
  m.cmpId = 2 + upTo(4094);
  m.cmpVersion = upTo(4096);
  m.consentScreen = upTo(64);
  m.consentLanguage = word();
  m.publisherCountryCode = word();
  m.vendorListVersion = upTo(4096);
  m.policyVersion = 2 + upTo(4);
  for (const flag of ["isServiceSpecific", "useNonStandardStacks", "purposeOneTreatment"]) m[flag] = chance(0.5);
  const p = pick([0, 0.3, 0.9, 1]);
  m.purposeConsents.set(some(chance(0.9) ? 11 : 24, p));
  m.purposeLegitimateInterests.set(some(11, random()));
  m.specialFeatureOptins.set(some(2, 0.5));
  m.vendorConsents.set(vendors());
  m.vendorLegitimateInterests.set(vendors());
  m.vendorsDisclosed.set(chance(0.5) ? [...m.vendorConsents.values()] : vendors());
  m.vendorsAllowed.set(vendors());
  m.publisherConsents.set(some(11, p));
  m.publisherLegitimateInterests.set(some(11, random()));
  m.numCustomPurposes = chance(0.5) ? 0 : upTo(64);
  m.publisherCustomConsents.set(some(m.numCustomPurposes, 0.5));
  m.publisherCustomLegitimateInterests.set(some(m.numCustomPurposes, 0.5));
  return m;
}

// restrict writes restrictions; the encoder asks a vendor list which ids exist.
function restrict(m) {
  m.publisherRestrictions.gvl_ = { vendorIds: new Set(Array.from({ length: 1300 }, (_, i) => i + 1)) };
  for (let n = upTo(4); n > 0; n--) {
    const r = new PurposeRestriction(1 + upTo(11), upTo(3));
    for (const v of vendors()) m.publisherRestrictions.add(v, r);
  }
}

// tc encodes a model segment by segment: the library's own choice of segments leaves
// the disclosed vendors out of strings for vendors (iabtcf-es#502).
function tc() {
  const m = model();
  if (chance(0.4)) restrict(m);
  const segments = [Segment.CORE];
  if (chance(0.6)) segments.push(Segment.VENDORS_DISCLOSED);
  if (chance(0.2)) segments.push(Segment.VENDORS_ALLOWED);
  if (chance(0.5)) segments.push(Segment.PUBLISHER_TC);
  return segments.map((s) => SegmentEncoder.encode(m, s)).join(".");
}

// headers stay short: the decoder counts a range out number by number.
const header = 9;

function gpp() {
  const ids = [2, 6, 7, 8, 9, 12, 23].filter(() => chance(0.3));
  if (chance(0.8) && !ids.includes(2)) ids.unshift(2);
  const head = new HeaderV1();
  head.setFieldValue("SectionIds", ids);
  let first = head.encode();
  if (chance(0.5) && first.length > 4) first = first.replace(/A$/, ""); // padded to characters, not bytes
  return [first, ...ids.map((id) => (id === 2 ? tc() : id === 6 ? "1YNN" : "BAAAAAAAAQA.QA"))].join("~");
}

// edits change a string as transport, people and attackers do.
const edits = {
  none: (s) => s,
  cut: (s) => s.slice(0, upTo(s.length + 1)),
  front: (s) => s.slice(upTo(s.length)),
  bit: (s) => at(s, (c) => letters[letters.indexOf(c) ^ (1 << upTo(6))] ?? c),
  bits: (s) => edits.bit(edits.bit(edits.bit(s))),
  letter: (s) => at(s, () => pick(letters)),
  foreign: (s) => at(s, () => pick(["+", "/", "=", " ", "~", ".", "%", "ä"])),
  insert: (s) => at(s, (c) => pick(letters) + c),
  remove: (s) => at(s, () => ""),
  swap: (s) => s.split(".").reverse().join("."),
  twice: (s) => s + "." + pick(s.split(".")),
  segment: (s) => s + "." + Array.from({ length: 1 + upTo(12) }, () => pick(letters)).join(""),
  tail: (s) => s + pick(["A", "AA", "AAAA", "B", "AB", "AAAB"]),
  early: (s) => s.slice(0, 1 + upTo(36)) + pick(letters) + s.slice(37),
};
const at = (s, change) => {
  const i = upTo(s.length);
  return s.slice(0, i) + change(s[i] ?? "") + s.slice(i + 1);
};

const ranges = (numbers) => {
  const out = [];
  for (const n of [...new Set(numbers)].sort((a, b) => a - b)) {
    if (out.length && out.at(-1)[1] === n - 1) out.at(-1)[1] = n;
    else out.push([n, n]);
  }
  return out;
};
const ones = (bits) => bits.flatMap((b, i) => (b ? [i + 1] : []));

// A string without a core is read as one of today: we write the time out as 0.
const coreless = (s) => !s.split(".").some((segment) => /^[A-H]/.test(segment));
const time = (s, date) => (coreless(s) ? 0 : date.getTime() / 100);

function readTC(s) {
  const m = TCString.decode(s);
  const list = (v) => ranges(v.values());
  return {
    version: m.version, created: time(s, m.created), updated: time(s, m.lastUpdated), cmp: m.cmpId, cmpVersion: m.cmpVersion,
    screen: m.consentScreen, language: m.consentLanguage, country: m.publisherCountryCode, vendorList: m.vendorListVersion, policy: m.policyVersion,
    specific: m.isServiceSpecific, nonStandard: m.useNonStandardStacks, one: m.purposeOneTreatment, features: list(m.specialFeatureOptins),
    purposes: list(m.purposeConsents), interests: list(m.purposeLegitimateInterests), vendors: list(m.vendorConsents),
    vendorInterests: list(m.vendorLegitimateInterests), disclosed: list(m.vendorsDisclosed), allowed: list(m.vendorsAllowed),
    publisher: list(m.publisherConsents), publisherInterests: list(m.publisherLegitimateInterests),
    custom: list(m.publisherCustomConsents), customInterests: list(m.publisherCustomLegitimateInterests),
    restrictions: m.publisherRestrictions.getRestrictions().map((r) => ({ purpose: r.purposeId, kind: r.restrictionType, vendors: ranges(m.publisherRestrictions.getVendors(r)) })),
  };
}

function readGPP(s) {
  const m = new GppModel(s);
  m.getHeader(); // decodes, and counts the sections
  const ids = s.startsWith("D") ? new HeaderV1(s.split("~")[0]).getFieldValue("SectionIds") : m.getSectionIds();
  return { ids, eu: m.hasSection(TcfEuV2.NAME) ? attempt(() => readEU(s.split("~")[1 + ids.indexOf(2)] ?? s, m.getSection(TcfEuV2.NAME))) : undefined };
}

function readEU(s, f) {
  return {
    version: f.Version, created: time(s, f.Created), updated: time(s, f.LastUpdated), cmp: f.CmpId, cmpVersion: f.CmpVersion,
    screen: f.ConsentScreen, language: f.ConsentLanguage, country: f.PublisherCountryCode, vendorList: f.VendorListVersion, policy: f.PolicyVersion,
    specific: f.IsServiceSpecific, nonStandard: f.UseNonStandardStacks, one: f.PurposeOneTreatment, features: ranges(ones(f.SpecialFeatureOptins)),
    purposes: ranges(ones(f.PurposeConsents)), interests: ranges(ones(f.PurposeLegitimateInterests)), vendors: ranges(f.VendorConsents),
    vendorInterests: ranges(f.VendorLegitimateInterests), disclosed: ranges(f.VendorsDisclosed), allowed: ranges(f.VendorsAllowed),
    publisher: ranges(ones(f.PublisherConsents)), publisherInterests: ranges(ones(f.PublisherLegitimateInterests)),
    custom: ranges(ones(f.PublisherCustomConsents)), customInterests: ranges(ones(f.PublisherCustomLegitimateInterests)),
    restrictions: f.PublisherRestrictions.map((r) => ({ purpose: r.getKey(), kind: r.getType(), vendors: ranges(r.getIds()) })),
  };
}

function attempt(read) {
  try {
    return { read: read() };
  } catch (e) {
    return { error: String(e.message ?? e).slice(0, 80) || "refused" };
  }
}

let out = [];
for (let i = 0; i < count; i++) {
  const kind = i % 3 === 2 ? "gpp" : "tc";
  const edit = i % 4 === 0 ? "none" : pick(Object.keys(edits));
  const string = edits[edit](kind === "tc" ? tc() : gpp());
  if (kind === "gpp" && string.split("~")[0].length > header) continue;
  const verdict = attempt(() => (kind === "tc" ? readTC(string) : readGPP(string)));
  out.push(JSON.stringify({ kind, edit, string, vendor: pick([0, 1, 28, 1 + upTo(300)]), ...verdict }));
  if (out.length === 500 || i === count - 1) {
    const block = out.join("\n") + "\n";
    out = [];
    if (!process.stdout.write(block)) await new Promise((r) => process.stdout.once("drain", r));
  }
}
if (out.length) process.stdout.write(out.join("\n") + "\n");
