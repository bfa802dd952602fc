//! One request to a provider: the rate limit is kept, the time is measured, and failures say which host they are about.

use std::time::{Duration, Instant};

use reqwest::header::AUTHORIZATION;

use super::drift::Outline;
use crate::check::{Call, CallStatus};
use crate::model::failure::Failure;
use crate::process::interrupt::Deadline;
use crate::process::redact::Redactor;
use crate::wire::http::{self, Clients, Request, Response};
use crate::wire::limit::{Limiter, Slot};

/// Sees a request, and the answer if there is one.
pub(crate) type Witness<'a> = dyn Fn(&Request, Option<&Response>) + 'a;

/// The HTTP clients together with the rate limit of one provider, for the requests of one attempt.
pub(crate) struct ProviderClient<'a> {
    pub clients: &'a Clients,
    /// Learns what an answer brings that lets its holder in.
    pub redactor: &'a Redactor,
    /// The provider's limit, if it has one.
    pub limiter: Option<&'a Limiter>,
    /// No request begins after it.
    pub deadline: &'a Deadline,
    /// A slot of the limiter that the pool has already taken for the next request.
    pub place: Option<Slot<'a>>,
    /// The requests that were made, in the order in which they ended.
    pub calls: Vec<Call>,
    /// Who sees every request with what came of it; none but for a trial.
    pub witness: Option<&'a Witness<'a>>,
    /// Whether requests are signed, so that the clocks of both sides must agree.
    pub is_signed: bool,
    /// What the answers of the attempt look like, if anybody wants to know.
    pub outline: Option<Outline>,
}

/// When the limit allows the next request.
pub(super) enum Leave {
    Now,
    /// Not before this time.
    At(Instant),
}

impl ProviderClient<'_> {
    /// Takes the place of the next request, if the limit allows it now.
    pub(super) fn leave(&mut self) -> Leave {
        if let (Some(limiter), None) = (self.limiter, &self.place) {
            match limiter.take() {
                Ok(place) => self.place = Some(place),
                Err(at) => return Leave::At(at),
            }
        }
        Leave::Now
    }

    /// Makes one request, for which there is leave, and gives its answer to `meaning`. `spent` grows by the time that the answer
    /// took.
    ///
    /// # Errors
    /// Why there is no answer, or what `meaning` refuses in it.
    pub(super) fn ask<T>(
        &mut self,
        request: &Request,
        timeout: Duration,
        spent: &mut Duration,
        meaning: impl FnOnce(&Response) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut place = self.place.take();
        place.iter_mut().for_each(Slot::begin);
        let begin = Instant::now();
        let came = self.clients.read(request, timeout.min(self.deadline.left()));
        if let Some(witness) = self.witness {
            witness(request, came.as_ref().ok());
        }
        let result = came.and_then(|response| {
            let meant = response.fault().map_or_else(|| meaning(&response), Err);
            meant.map_err(|failure| {
                let failure = response.through(response.by_the_clock(failure, self.is_signed));
                response.without_followed(failure).heeding(response.retry_after)
            })
        });
        let proof = request.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
        let result = result.map_err(|failure| failure.at(http::host(&request.url)).hiding(proof));
        *spent += begin.elapsed();
        self.calls.push(Call { status: CallStatus::of(&result), duration: begin.elapsed() });
        result
    }
}
