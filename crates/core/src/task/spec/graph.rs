//! The order of a graph, and its cycles. Nodes are indexes; an edge leads from a node to one that it needs.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A graph's nodes in topological order: everything after what it needs, otherwise by index (Kahn's algorithm with a
/// heap). What is in a cycle, or needs something that is, is left out.
pub(super) fn order(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut downstreams = vec![vec![]; needs.len()];
    let mut open: Vec<usize> = needs.iter().map(Vec::len).collect();
    for (node, upstreams) in needs.iter().enumerate() {
        for &upstream in upstreams {
            downstreams[upstream].push(node);
        }
    }
    let mut ready: BinaryHeap<_> = (0..needs.len()).filter(|&node| open[node] == 0).map(Reverse).collect();
    let mut sorted = Vec::with_capacity(needs.len());
    while let Some(Reverse(node)) = ready.pop() {
        sorted.push(node);
        for &downstream in &downstreams[node] {
            open[downstream] -= 1;
            if open[downstream] == 0 {
                ready.push(Reverse(downstream));
            }
        }
    }
    sorted
}

/// The cycles of a graph, no node in two of them: each from its lowest node, along the edges.
pub(super) fn cycles(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut needs = needs.to_vec();
    let mut found = vec![];
    loop {
        let mut left = vec![true; needs.len()];
        for node in order(&needs) {
            left[node] = false;
        }
        let Some(start) = left.iter().position(|&left| left) else { return found };
        let cycle = walk(&needs, &left, start);
        for &node in &cycle {
            needs[node].clear();
        }
        found.push(cycle);
    }
}

/// Follows edges within `left` from `start` until a node comes again. Every node of `left` has such an edge, or the
/// order would have contained it.
fn walk(needs: &[Vec<usize>], left: &[bool], start: usize) -> Vec<usize> {
    let mut trail = vec![start];
    let mut node = start;
    loop {
        let next = needs[node].iter().copied().find(|&upstream| left[upstream]);
        node = next.expect("invariant: a node that cannot be ordered needs another one");
        if let Some(begin) = trail.iter().position(|&seen| seen == node) {
            let mut cycle = trail.split_off(begin);
            let lowest = cycle.iter().enumerate().min_by_key(|(_, node)| **node).map_or(0, |(index, _)| index);
            cycle.rotate_left(lowest);
            return cycle;
        }
        trail.push(node);
    }
}
