//! The way from the root of a tree to one of its nodes, and where that node stands in the text.

/// One step from a node to its child.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The value under a key.
    Key(String),
    /// The item at an index, from 0.
    Index(usize),
}

/// The way from the root to a node.
pub(crate) type NodePath = Vec<Step>;

/// Which part of the node a position is wanted of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The key, at its n-th occurrence from 0.
    Key(usize),
    Value,
}
/// Line and column, both from 1.
pub(crate) type Position = (usize, usize);

/// The path as people write it: `projects[3].options.region`.
pub(crate) fn show(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        match step {
            Step::Key(key) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(key);
            }
            Step::Index(index) => out.push_str(&format!("[{index}]")),
        }
    }
    out
}

/// The step to the value under a key.
pub(crate) fn key(name: &str) -> Step {
    Step::Key(name.to_owned())
}

/// The way to an entry of a list that stands at the top of a config.
pub(crate) fn item(list: &str, index: usize) -> NodePath {
    vec![key(list), Step::Index(index)]
}

/// The way to a field of a node.
pub(crate) fn under(path: &[Step], name: &str) -> NodePath {
    let mut path = path.to_vec();
    path.push(key(name));
    path
}

/// The last key on the way to a node, which is its name for people; empty if there is none.
pub(crate) fn last_key(path: &[Step]) -> &str {
    path.iter()
        .rev()
        .find_map(|step| match step {
            Step::Key(name) => Some(name.as_str()),
            Step::Index(_) => None,
        })
        .unwrap_or_default()
}
