//! One sequence and the objects that use it, made at random, with the expected result derived from how they were made.

mod sql;

use super::dice::Dice;
use super::names::{any, constant, quoted};

/// How the sequence and a column are linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    Serial,
    Identity,
    /// A default without ownership, in a schema other than the sequence's.
    Default,
    /// Ownership without a default.
    Owned,
    Domain,
    /// Partitions with the columns in another order.
    Partitioned,
    /// A child that was a separate table before.
    Inherited,
    /// Two tables on one sequence. Only the second one has ids.
    Shared,
    /// `nextval(…) * 10`.
    Computed,
    /// The name of the owned sequence as text, for which the catalog records no dependency.
    Late,
    Function,
    TextColumn,
    Cycle,
    Lonely,
    /// A table whose owner does not own the sequence.
    Stranger,
    View,
}

const LINKS: [Link; 16] = [
    Link::Serial,
    Link::Identity,
    Link::Default,
    Link::Owned,
    Link::Domain,
    Link::Partitioned,
    Link::Inherited,
    Link::Shared,
    Link::Computed,
    Link::Late,
    Link::Function,
    Link::TextColumn,
    Link::Cycle,
    Link::Lonely,
    Link::Stranger,
    Link::View,
];

/// One additional property of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trait {
    Plain,
    RowSecurity,
    ForcedRowSecurity,
    /// The owner has revoked its SELECT on the table.
    Unselectable,
    /// An index that calls a function of the owner.
    Spied,
    Triggers,
    Rules,
    Generated,
    Checked,
    ExtensionMember,
    Unlogged,
}

const TRAITS: [Trait; 11] = [
    Trait::Plain,
    Trait::RowSecurity,
    Trait::ForcedRowSecurity,
    Trait::Unselectable,
    Trait::Spied,
    Trait::Triggers,
    Trait::Rules,
    Trait::Generated,
    Trait::Checked,
    Trait::ExtensionMember,
    Trait::Unlogged,
];

/// The role that runs pgmedic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Superuser,
    Owner,
    /// The role created by the SQL of `pgmedic grants`.
    Medic,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub schema: String,
    pub other_schema: String,
    pub table: String,
    pub column: String,
    pub sequence: String,
    pub link: Link,
    pub with: Trait,
    pub increment: i64,
    /// The value that `nextval` would return.
    pub next: i64,
    called: bool,
    /// The max id in the residue class of the sequence, as a distance from the next value in steps.
    drift: Option<i64>,
    /// Whether there is an id in the residue class that was handed out before.
    old: bool,
    /// Whether there is an id beyond all others, in another residue class.
    stray: bool,
    kind: &'static str,
    indexed: bool,
}

pub fn any_case(dice: &mut Dice, number: usize) -> Case {
    let increment = *dice.pick(&[1, 1, 1, -1, 5, -3, 10]);
    let [schema, other_schema, table, column, sequence] = std::array::from_fn(|place| any(dice, number * 5 + place));
    Case {
        schema,
        other_schema,
        table,
        column,
        sequence,
        link: *dice.pick(&LINKS),
        with: *dice.pick(&TRAITS),
        increment,
        next: dice.between(100, 5000) * increment.signum(),
        called: dice.one_in(2),
        drift: dice.one_in(2).then(|| dice.between(0, 60)),
        old: dice.one_in(2),
        stray: dice.one_in(3) && increment.abs() > 1,
        kind: dice.pick::<&str>(&["smallint", "integer", "bigint", "numeric", "numeric(20)"]),
        indexed: dice.one_in(2),
    }
}

impl Case {
    /// The sequence's name, quoted for SQL.
    pub fn sequence(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.sequence))
    }

    fn table(&self) -> String {
        format!("{}.{}", quoted(&self.other_schema), quoted(&self.table))
    }

    fn nextval(&self) -> String {
        format!("nextval({}::regclass)", constant(&self.sequence()))
    }

    fn ids(&self) -> impl Iterator<Item = i64> {
        let at = |steps: i64| self.next + steps * self.increment;
        let old = self.old.then(|| at(-3));
        let stray = self.stray.then(|| at(70) + 1);
        // A dense block: a lone id far ahead would be held.
        let block = self.drift.into_iter().flat_map(move |steps| (0..=steps).map(at));
        old.into_iter().chain(block).chain(stray)
    }

    /// Whether the max id is compared, privileges aside. If not, the expected verdict.
    fn judged(&self) -> Result<(), &'static str> {
        match self.link {
            Link::Computed | Link::Function | Link::TextColumn | Link::Cycle => Err("unsupported"),
            Link::Lonely | Link::Stranger | Link::View => Err("unlinked"),
            _ => Ok(()),
        }
    }

    pub fn verdict(&self, who: Who) -> &'static str {
        let hidden = match self.with {
            Trait::Spied | Trait::Checked => who == Who::Superuser,
            Trait::RowSecurity => who == Who::Medic,
            Trait::ForcedRowSecurity => who != Who::Superuser,
            Trait::Unselectable => who == Who::Owner,
            _ => false,
        };
        match self.judged() {
            Err(verdict) => verdict,
            Ok(()) if hidden => "unreadable",
            Ok(()) if self.drift.is_some() => "behind",
            Ok(()) => "in_sync",
        }
    }

    /// The value that `nextval` must return after a pass run by `who`.
    pub fn next_after(&self, who: Who, advance_limit: i64) -> i64 {
        match self.drift {
            Some(steps)
                if self.judged().is_ok()
                    && self.verdict(who) == "behind"
                    && (who != Who::Medic || steps < advance_limit) =>
            {
                self.next + (steps + 1) * self.increment
            }
            _ => self.next,
        }
    }

    /// Whether reading the table runs code of its owner.
    pub fn runs_code(&self) -> bool {
        self.with == Trait::Spied && self.judged().is_ok()
    }
}
