//! Who uses whom: between files, and between modules. Its circles, and the longest way down through it.

use std::collections::{BTreeMap, BTreeSet};

/// Names, and for each what it uses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph(pub BTreeMap<String, BTreeSet<String>>);

impl Graph {
    /// How many pairs there are of one that uses another.
    #[must_use]
    pub fn edges(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }

    /// The same without some of these pairs.
    #[must_use]
    pub fn without(&self, is_left_out: impl Fn(&str, &str) -> bool) -> Self {
        let rest = |(name, used): (&String, &BTreeSet<String>)| {
            (name.clone(), used.iter().filter(|it| !is_left_out(name, it)).cloned().collect())
        };
        Self(self.0.iter().map(rest).collect())
    }

    /// The same of what these belong to.
    #[must_use]
    pub fn by(&self, group: impl Fn(&str) -> String) -> Self {
        let mut grouped = Self::default();
        for (name, used) in &self.0 {
            let own = group(name);
            let used: Vec<String> = used.iter().map(|it| group(it)).filter(|it| *it != own).collect();
            grouped.0.entry(own).or_default().extend(used);
        }
        grouped
    }

    /// Those that use each other, however indirectly: the largest first.
    #[must_use]
    pub fn circles(&self) -> Vec<BTreeSet<String>> {
        let mut circles: Vec<_> = self.parts().into_iter().filter(|part| part.len() > 1).collect();
        circles.sort_by_key(|circle| (usize::MAX - circle.len(), circle.clone()));
        circles
    }

    /// The longest way from one of these to one of those; a circle is one step, whatever is in it.
    #[must_use]
    pub fn longest(&self, is_first: impl Fn(&str) -> bool, is_last: impl Fn(&str) -> bool) -> Vec<BTreeSet<String>> {
        let parts = self.parts();
        let part_of: BTreeMap<&str, usize> =
            parts.iter().enumerate().flat_map(|(at, part)| part.iter().map(move |name| (name.as_str(), at))).collect();
        // What a part uses comes before it: its own ways down are known by then.
        let mut ways: Vec<Option<Vec<usize>>> = vec![];
        for (at, part) in parts.iter().enumerate() {
            let used: BTreeSet<usize> = part
                .iter()
                .flat_map(|name| &self.0[name])
                .map(|used| part_of[used.as_str()])
                .filter(|it| *it != at)
                .collect();
            let below = used.into_iter().filter_map(|it| ways[it].as_ref()).max_by_key(|way| way.len());
            let ends = part.iter().any(|name| is_last(name)).then(Vec::new);
            let way = below.cloned().or(ends).map(|mut way| {
                way.insert(0, at);
                way
            });
            ways.push(way);
        }
        let begins = |at: usize| parts[at].iter().any(|name| is_first(name));
        let longest =
            (0..parts.len()).filter(|at| begins(*at)).filter_map(|at| ways[at].as_ref()).max_by_key(|way| way.len());
        longest.into_iter().flatten().map(|at| parts[*at].clone()).collect()
    }

    /// Those that use each other together, each part behind all that it uses. Tarjan's algorithm (Depth-first search and
    /// linear graph algorithms, 1972).
    fn parts(&self) -> Vec<BTreeSet<String>> {
        let mut search = Search { graph: self, numbers: BTreeMap::new(), open: vec![], parts: vec![] };
        for name in self.0.keys() {
            if !search.numbers.contains_key(name.as_str()) {
                search.visit(name);
            }
        }
        search.parts
    }
}

struct Search<'a> {
    graph: &'a Graph,
    /// When each was first seen; none: its part is known.
    numbers: BTreeMap<&'a str, Option<usize>>,
    open: Vec<&'a str>,
    parts: Vec<BTreeSet<String>>,
}

impl<'a> Search<'a> {
    /// The earliest that is reached from here and still open.
    fn visit(&mut self, name: &'a str) -> usize {
        let number = self.numbers.len();
        self.numbers.insert(name, Some(number));
        self.open.push(name);
        let mut earliest = number;
        for used in self.graph.0.get(name).into_iter().flatten() {
            earliest = match self.numbers.get(used.as_str()) {
                None => earliest.min(self.visit(used)),
                Some(seen) => earliest.min(seen.unwrap_or(earliest)),
            };
        }
        if earliest == number {
            let first = self.open.iter().position(|it| *it == name).unwrap_or_default();
            let part: BTreeSet<String> = self.open.drain(first..).map(str::to_owned).collect();
            for name in &part {
                if let Some(number) = self.numbers.get_mut(name.as_str()) {
                    *number = None;
                }
            }
            self.parts.push(part);
        }
        earliest
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Graph;

    /// `a>bc d>a`: a uses b and c, and d uses a.
    fn graph(text: &str) -> Graph {
        let names = |text: &str| text.chars().map(String::from).collect::<BTreeSet<_>>();
        let mut graph = Graph::default();
        for (one, used) in text.split(' ').filter_map(|edge| edge.split_once('>')) {
            graph.0.entry(one.to_owned()).or_default().extend(names(used));
            for name in names(used) {
                graph.0.entry(name).or_default();
            }
        }
        graph
    }

    fn text(parts: &[BTreeSet<String>]) -> String {
        parts.iter().map(|part| part.iter().map(String::as_str).collect::<String>()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn circles_are_found_however_long() {
        assert_eq!(text(&graph("a>bc b>c c>d").circles()), "");
        assert_eq!(text(&graph("a>b b>c c>a d>a e>f f>e a>x").circles()), "abc ef");
        assert_eq!(text(&graph("a>b b>ac c>d d>b x>a").circles()), "abcd");
        assert_eq!(graph("a>b b>ac c>d d>b x>a").edges(), 6);
    }

    #[test]
    fn the_longest_way_passes_a_circle_once() {
        let graph = graph("d>as a>b b>ca c>s s>t e>t");
        let way = |first: &str, last: &str| text(&graph.longest(|it| first.contains(it), |it| last.contains(it)));
        assert_eq!(way("de", "s"), "d ab c s");
        assert_eq!(way("de", "t"), "d ab c s t");
        assert_eq!(way("e", "s"), "");
        assert_eq!(way("t", "t"), "t");
    }

    #[test]
    fn groups_use_what_their_members_do() {
        let grouped = graph("a>bx b>y x>a").by(|name| if "ab".contains(name) { "A" } else { name }.to_owned());
        assert_eq!((text(&grouped.circles()).as_str(), grouped.edges()), ("Ax", 3));
    }
}
