//! Basic graph patterns, beside the simplest evaluation that there is.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// A term of a random pattern.
#[derive(Clone, Debug)]
enum Slot {
    Known(u32),
    Variable(u32),
}

impl Slot {
    fn text(&self) -> String {
        match self {
            Slot::Known(id) => format!("<n{id}>"),
            Slot::Variable(v) => format!("?v{v}"),
        }
    }
}

/// Finds the solutions of a pattern by trying all triples for each part of it.
fn naive(
    triples: &[[u32; 3]],
    pattern: &[[Slot; 3]],
    solution: &BTreeMap<u32, u32>,
    found: &mut Vec<BTreeMap<u32, u32>>,
) {
    let Some((first, rest)) = pattern.split_first() else {
        found.push(solution.clone());
        return;
    };
    for triple in triples {
        let mut extended = solution.clone();
        let fits = first.iter().zip(triple).all(|(slot, id)| match slot {
            Slot::Known(known) => known == id,
            Slot::Variable(v) => *extended.entry(*v).or_insert(*id) == *id,
        });
        if fits {
            naive(triples, rest, &extended, found);
        }
    }
}

fn any_slot() -> impl Strategy<Value = Slot> {
    prop_oneof![1 => (0u32..5).prop_map(Slot::Known), 2 => (0u32..4).prop_map(Slot::Variable)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_pattern_has_the_solutions_that_trying_all_gives(
        triples in prop::collection::btree_set(prop::array::uniform3(0u32..5), 0..20),
        pattern in prop::collection::vec(prop::array::uniform3(any_slot()), 1..4),
        predicates in any::<bool>(),
    ) {
        let triples: Vec<[u32; 3]> = triples.into_iter().collect();
        let node = |id: TermId| iri(format!("http://h/t/n{id}"));
        let mut graph = Graph::new();
        for &[s, p, o] in &triples {
            graph.insert(&node(s), &node(p), &node(o));
        }
        let text: String = pattern.iter().map(|t| format!("{} {} {} . ", t[0].text(), t[1].text(), t[2].text())).collect();
        let query = parse(&format!("SELECT ?v0 ?v1 ?v2 ?v3 {{ {text} }}")).unwrap();
        let mut builder = Builder::keeping(if predicates { query.predicates() } else { None });
        builder.add(&graph);
        let ours = rows(&query, &builder.finish()).unwrap();

        let mut found = Vec::new();
        naive(&triples, &pattern, &BTreeMap::new(), &mut found);
        let cell = |solution: &BTreeMap<u32, u32>, v: u32| solution.get(&v).map_or("-".to_owned(), |id| format!("n{id}"));
        let mut theirs: Vec<String> = found
            .iter()
            .map(|solution| (0..4).map(|v| cell(solution, v)).collect::<Vec<_>>().join(" "))
            .collect();
        theirs.sort();
        prop_assert_eq!(ours, theirs, "{}", text);
    }
}
