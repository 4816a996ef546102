//! The look at what lies ahead of one sequence: which question comes next, and what the answers amount to. Runs no walk alone:
//! the questions of many looks go out together.

use super::look_results::LookResult;
use super::partitions::read_partitions;
use crate::db::BoundedConnection;
use pgmedic_core::sequence::ahead::{Basis, Looked, MaxIdOnly, Scope};
use pgmedic_core::sequence::block::BlockQuestion;
use pgmedic_core::sequence::held_reasons::MOST_COUNTED;
use pgmedic_core::sequence::judgement::{Answer, BlockWalk, Draws, Found, Gather, Progress as Walked, Question};
use pgmedic_core::sequence::members::is_read_by_member;
use pgmedic_core::sequence::model::{Keys, Sequence};
use pgmedic_core::sequence::observation::{Observation, ObserveResult, explain_read_error};
use pgmedic_core::sequence::probe::{Probe, ProbeAnswer, ProbePart, ProbeResult, fits_in_transaction, group_parts};
use pgmedic_core::{Reason, ReasonKind, Timeouts};

/// Statements of one walk after which a repair past the dense beginning is made before it goes on.
const STATEMENTS_BEFORE_REPAIR: u32 = 5;
/// Statements of a walk that no repair waits for.
const MOST_STATEMENTS: u32 = 25;
/// Stretches of one statement, for a table with one index; fewer where a probe reads many partitions.
const MOST_STRETCHES: u64 = 200;
/// Own values that one statement looks at where they are looked for one by one.
const MOST_ONE_BY_ONE: i128 = 5000;
/// A sequence to look at, and what its judgement goes by.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    pub sequence: &'a Sequence,
    pub basis: Basis,
    /// Of the draws of its walks.
    pub seed: u64,
}

/// One sequence, and how far the look at it has come.
#[derive(Debug)]
pub struct Look<'a> {
    /// Its place among the subjects.
    pub index: usize,
    pub subject: Subject<'a>,
    /// What was seen; none when the look has ended.
    ahead: Option<Observation>,
    keys: Vec<Keys>,
    /// Where the ids of each source are read.
    parts: Vec<Vec<ProbePart<'a>>>,
    /// Where the ids that are walked are read: each group in one statement.
    groups: Vec<Vec<ProbePart<'a>>>,
    /// The answers of several groups to one question.
    gather: Option<Gather>,
    /// Why what a walk finds counts by its last id alone: it was made because others' ids hide the max id.
    max_id_only: Option<MaxIdOnly>,
    walk: Option<BlockWalk>,
    statements: u32,
    /// What the walk found, where the ids ahead are still to be counted.
    counting: Option<(Found, Question)>,
    pub result: LookResult,
}

impl<'a> Look<'a> {
    /// None where nothing can be ahead.
    pub fn new(index: usize, subject: Subject<'a>, seen: &ObserveResult) -> Option<Self> {
        let sequence = subject.sequence;
        let judged = !sequence.feeds.is_empty() && !sequence.parameters.cycle && sequence.sources().next().is_some();
        let Some(Ok(seen)) = seen else { return None };
        (judged && seen.is_ahead()).then(|| Self {
            index,
            subject,
            ahead: Some(*seen),
            keys: Vec::new(),
            parts: Vec::new(),
            groups: Vec::new(),
            gather: None,
            max_id_only: None,
            walk: None,
            statements: 0,
            counting: None,
            result: Some(Ok(Looked::nothing_ahead(*seen))),
        })
    }

    /// Reads which partitions and children stand for a table of which some are left out, or which has too many of them for one
    /// transaction.
    pub async fn read_members(&mut self, connection: &mut BoundedConnection, timeouts: Timeouts) {
        for source in self.subject.sequence.sources() {
            if !is_read_by_member(source) {
                self.parts.push(vec![ProbePart { source, member: None, own_values: None }]);
                continue;
            }
            match read_partitions(connection, source, timeouts).await {
                Ok(members) => self.parts.push(members),
                Err(reason) => return self.end(Err(reason)),
            }
        }
    }

    /// Begins the walk, by the keys of each source.
    pub fn begin(&mut self, keys: Vec<Keys>) {
        let Some(seen) = self.ahead else { return };
        self.keys = keys;
        let (walked, why) = match Scope::new(self.subject.sequence, &self.keys) {
            Scope::MaxIdOnly(why) if !seen.hidden => return self.end(Ok(Looked::by_max_id(seen, why))),
            Scope::Walk(walked) => (walked, None),
            Scope::MaxIdOnly(why) => ((0..self.keys.len()).collect(), Some(why)),
        };
        self.groups =
            group_parts(walked.iter().filter_map(|source| self.parts.get(*source)).flatten().cloned().collect());
        // In so many tables, one by one would take minutes.
        let one_by_one = self.groups.len() > 1 && !seen.is_gapless();
        let too_many = |part: &&ProbePart<'_>| one_by_one || !fits_in_transaction(1 + part.relations());
        if let Some(part) = self.groups.iter().flatten().find(too_many) {
            let why = MaxIdOnly::TooManyRelations { table: part.table().to_owned() };
            return self.end(Ok(Looked::by_max_id(seen, why)));
        }
        self.max_id_only = why;
        let relations: u64 = self.groups.iter().flatten().map(ProbePart::relations).sum();
        let few = u16::try_from(2 * MOST_STRETCHES / relations.max(2)).unwrap_or(1);
        let most = match self.groups.len() {
            2.. => 1,
            _ if seen.is_gapless() => few,
            _ => self.most_one_by_one(&seen),
        };
        let walk = self.subject.basis.walk(&seen, Draws::new(self.subject.seed)).most_stretches(most);
        let max = seen.max_id.and_then(|id| seen.position.numbering().number(id.into()));
        self.walk = Some(match max {
            Some(max) if self.groups.len() == 1 => walk.with_max_id(max),
            _ => walk,
        });
        self.advance();
    }

    fn most_one_by_one(&self, seen: &Observation) -> u16 {
        let terms = self.subject.basis.terms(seen);
        u16::try_from(MOST_ONE_BY_ONE / terms.step.min(terms.soon).max(1)).unwrap_or(u16::MAX).clamp(5, 200)
    }

    /// What is to be asked next.
    fn question(&self) -> Option<Question> {
        if let Some((_, count)) = &self.counting {
            return Some(count.clone());
        }
        match self.walk.as_ref()?.progress() {
            Walked::Ask(question) => Some(question),
            Walked::Done(_) => None,
        }
    }

    /// The statements that ask it: one for each group.
    pub fn probes(&mut self, index: usize) -> Vec<Probe<'a>> {
        let (Some(question), Some(seen)) = (self.question(), &self.ahead) else { return Vec::new() };
        let question = match self.groups.len() {
            2.. => self.gather.get_or_insert_with(|| Gather::new(question)).question(),
            _ => question,
        };
        let own = seen.position.numbering();
        let probe = |parts: &Vec<ProbePart<'a>>| {
            let block = Some(Box::new(BlockQuestion { question: question.clone(), own }));
            Probe { sequence: index, parts: parts.clone(), block }
        };
        self.groups.iter().map(probe).collect()
    }

    /// Takes the answers to all of its probes.
    pub fn answered(&mut self, results: Vec<ProbeResult<'a>>, timeouts: Timeouts) {
        let mut answers = Vec::with_capacity(results.len());
        for (probe, answer) in results {
            match answer {
                Ok(ProbeAnswer::Block { answer, state }) => {
                    self.ahead = self.ahead.map(|seen| seen.moved_on(state));
                    answers.push(answer);
                }
                Ok(ProbeAnswer::Extremes { .. }) => return self.end(Err(other_question())),
                Err(error) => return self.end(Err(explain_read_error(self.subject.sequence, &probe, error, timeouts))),
            }
        }
        if let (Some(walk), Some(seen)) = (&mut self.walk, &self.ahead) {
            walk.moved_on(seen.position.next_number());
        }
        let whole = match &mut self.gather {
            Some(gather) => gather.answer(answers),
            None => Ok(answers.pop()),
        };
        match whole {
            Ok(Some(answer)) => {
                self.gather = None;
                self.answer(answer);
            }
            // Another round about the same question.
            Ok(None) => {}
            Err(_) => self.end(Err(other_question())),
        }
    }

    fn answer(&mut self, answer: Answer) {
        self.statements += 1;
        if let Some((found, _)) = self.counting.take() {
            let Answer::Count(count) = answer else { return self.end(Err(other_question())) };
            return self.found(found, Some(count));
        }
        match self.walk.as_mut().map(|walk| walk.answer(answer)) {
            Some(Ok(())) => self.advance(),
            _ => self.end(Err(other_question())),
        }
    }

    /// Ends the walk where it is over, or has taken long.
    fn advance(&mut self) {
        let (Some(seen), Some(walk)) = (self.ahead, &self.walk) else { return };
        if let Walked::Done(found) = walk.progress() {
            return self.count_far(seen, found);
        }
        if self.statements < STATEMENTS_BEFORE_REPAIR {
            return;
        }
        match walk.so_far() {
            Some(found @ Found::Block { .. }) => {
                self.end(Ok(Looked { unfinished: true, ..Looked::walked(seen, found) }));
            }
            Some(found) if self.statements >= MOST_STATEMENTS => self.count_far(seen, found),
            _ => {}
        }
    }

    /// Counts the ids ahead where they are so far that a person decides.
    fn count_far(&mut self, seen: Observation, found: Found) {
        let looked = Looked::walked(seen, found);
        let far = looked.nearest().filter(|nearest| {
            seen.is_gapless() && *nearest - seen.position.next_number() >= self.subject.basis.terms(&seen).soon
        });
        match far {
            Some(from) => {
                let up_to = looked.max_number().unwrap_or(from);
                let count = Question::Count { from, up_to, most: MOST_COUNTED };
                (self.walk, self.counting) = (None, Some((found, count)));
            }
            None => self.found(found, None),
        }
    }

    fn found(&mut self, found: Found, far_count: Option<u64>) {
        let Some(seen) = self.ahead else { return };
        if let Some(why) = self.max_id_only.take() {
            let end = Looked::walked(seen, found).block_end();
            let max_id = end.and_then(|end| i64::try_from(seen.position.numbering().id(end)).ok());
            let seen = Observation { max_id: max_id.or(seen.max_id), hidden: false, ..seen };
            return self.end(Ok(Looked::by_max_id(seen, why)));
        }
        let beside = match found {
            // What is ahead is in columns where it makes no insert fail.
            Found::Nothing { .. } if !seen.hidden => Scope::beside_walk(self.subject.sequence, &self.keys),
            _ => None,
        };
        self.end(Ok(match beside {
            Some(why) => Looked::by_max_id(seen, why),
            None => Looked { far_count, ..Looked::walked(seen, found) },
        }));
    }

    /// Ends the look.
    pub fn end(&mut self, result: Result<Looked, Reason>) {
        (self.ahead, self.walk, self.counting, self.result) = (None, None, None, Some(result));
    }
}

fn other_question() -> Reason {
    Reason::new(ReasonKind::Internal, "the answer to another question about the ids ahead")
}
