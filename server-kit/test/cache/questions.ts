/** What is asked about, what is done with it, and something else that the same is done with. */
const subjects = `
renew lease flat|passport student
repair chain bicycle|roof barn
clean filter aquarium|carpet theatre
measure pressure tyre|distance planet
replace battery torch|window castle
sharpen blade plane|pencil pupil
water orchid greenhouse|lawn stadium
tune string violin|engine tractor
bake bread oven|brick kiln
knit sleeve pullover|net fisherman
prune rose hedge|budget ministry
calibrate sensor drone|scale grocer
translate poem anthology|menu airport
encrypt backup laptop|letter spy
teach alphabet kindergarten|surgery hospital
store potato cellar|hydrogen tank
plant tulip balcony|flag summit
train puppy kennel|choir cathedral
varnish floor attic|hull sailboat
compost peel kitchen|leaf forest
solder wire radio|pipe brewery
ferment cabbage jar|grape vineyard
splice rope harbour|gene laboratory
polish mirror telescope|shoe barracks
weigh parcel counter|truck motorway
trace signal antenna|ancestor archive
paint fence garden|portrait museum
tighten bolt bridge|muscle gymnasium
debug loop program|speech campaign
index chapter textbook|share exchange
roast coffee cafe|chestnut market
fold napkin banquet|protein cell
freeze berry pantry|account bank
catalogue stamp album|star observatory
harvest honey hive|data survey
install printer office|sculpture plaza
insulate pipe basement|cable seabed
borrow novel library|ladder neighbour
adopt kitten shelter|resolution council
brew tea samovar|cider orchard
rent canoe river|hall village
grade essay seminar|road county
inflate balloon fair|price auction
dilute acid flask|paint studio
sew button coat|sail yacht
season pan stove|timber sawmill
cancel ticket cinema|subscription newspaper
map cave mountain|neuron brain
audit ledger company|election district
rinse rice bowl|film darkroom
`
  .trim()
  .split('\n')
  .map((line) => {
    const [one = '', two = ''] = line.split('|');
    const [verb = '', thing = '', place = ''] = one.split(' ');
    const [otherThing = '', otherPlace = ''] = two.split(' ');
    return { verb, thing, place, otherThing, otherPlace };
  });

type Words = (verb: string, thing: string, place: string) => string;

/** One way to ask, and another way to ask the same. */
const ways: readonly (readonly [Words, Words])[] = [
  [
    (verb, thing, place) => `How do I ${verb} the ${thing} of a ${place}?`,
    (verb, thing, place) => `Please: how can I ${verb} a ${place} ${thing}`,
  ],
  [
    (verb, thing, place) => `Why would anybody ${verb} a ${thing} in the ${place}?`,
    (verb, thing, place) => `In a ${place}, why would anybody ${verb} the ${thing}, I wonder`,
  ],
  [
    (verb, thing, place) => `When is it best to ${verb} the ${thing} (${place})?`,
    (verb, thing, place) => `${place}: when to best ${verb} a ${thing}, in short`,
  ],
  [
    (verb, thing, place) => `What do I need to ${verb} a ${thing} from the ${place}?`,
    (verb, thing, place) => `To ${verb} the ${place}’s ${thing}, what do I need`,
  ],
];

/** Fifty questions, each in other words, and each about something else in the same words. */
export const questions = subjects.map(({ verb, thing, place, otherThing, otherPlace }, at) => {
  const [ask, again] = ways[at % ways.length] as (typeof ways)[number];
  return {
    question: ask(verb, thing, place),
    paraphrase: again(verb, thing, place),
    other: ask(verb, otherThing, otherPlace),
  };
});
