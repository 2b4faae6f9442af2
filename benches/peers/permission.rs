//! Policy engines: the permission step alone, without looking up the token.

use std::hint::black_box;

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use cedar_policy::{Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request};
use symbolon_benches::Bench;

/// Number of permissions of the subject: that of the largest set of the standard world.
const PERMISSIONS: usize = 10;

pub(crate) fn all(bench: &mut Bench) {
    casbin(bench);
    cedar(bench);
}

const MODEL: &str = "
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.sub == p.sub && r.obj == p.obj && r.act == p.act
";

fn casbin(bench: &mut Bench) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let enforcer = runtime.build().unwrap().block_on(async {
        let model = DefaultModel::from_str(MODEL).await.unwrap();
        let enforcer = Enforcer::new(model, MemoryAdapter::default()).await;
        let mut enforcer = enforcer.unwrap();
        for number in (0..PERMISSIONS).rev() {
            let rule = ["alice", &format!("buckets{number}"), "read"].map(str::to_owned);
            enforcer.add_policy(rule.into()).await.unwrap();
        }
        enforcer
    });
    bench.chain("peer/casbin", None, || {
        let allowed = enforcer.enforce(black_box(("alice", "buckets0", "read")));
        u64::from(!allowed.unwrap())
    });
}

fn cedar(bench: &mut Bench) {
    let rule = |number| {
        format!(
            "permit(principal == User::\"alice\", action == Action::\"read\", \
             resource == Bucket::\"{number}\");"
        )
    };
    let rules: String = (0..PERMISSIONS).map(rule).collect();
    let policies: PolicySet = rules.parse().unwrap();
    let name = |text: &str| -> EntityUid { text.parse().unwrap() };
    let [who, what, which] = [r#"User::"alice""#, r#"Action::"read""#, r#"Bucket::"0""#].map(name);
    let request = Request::new(who, what, which, Context::empty(), None).unwrap();
    let (authorizer, entities) = (Authorizer::new(), Entities::empty());
    bench.chain("peer/cedar", None, || {
        let answer = authorizer.is_authorized(black_box(&request), &policies, &entities);
        u64::from(answer.decision() == Decision::Deny)
    });
}
