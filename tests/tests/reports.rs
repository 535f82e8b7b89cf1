//! What the daemon serves over HTTP: health, metrics, applications, events; and that no client can hold it up.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use trueup_e2e::scenario::scenario;
use trueup_e2e::world::{LIMIT, World};

/// The value of an environment variable of the example's backend; another one is pushed over it.
const CANARY: &str = "canary-4f1d-of-an-environment-value";
const TASK_DEFINITION: &str = "desired-state/elearning/task-definition.toml";
const TARGET_GROUP: &str = "desired-state/elearning/target-groups/backend.toml";

/// How many cycles are timed.
const CYCLES: u32 = 6;

/// An address that is free; should another process take it in between, the daemon waits for it.
fn free_address() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// The status and the body of a page.
fn get(address: SocketAddr, path: &str) -> Result<(u16, String)> {
    let mut client = TcpStream::connect(address)?;
    client.set_read_timeout(Some(LIMIT))?;
    write!(client, "GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    let mut answer = String::new();
    client.read_to_string(&mut answer)?;
    let status = answer.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3)).context("an answer has a status")?;
    let (_, body) = answer.split_once("\r\n\r\n").context("an answer has a head")?;
    Ok((status.parse()?, body.to_owned()))
}

/// A page of JSON that is there.
fn json(address: SocketAddr, path: &str) -> Result<Value> {
    let (status, body) = get(address, path)?;
    ensure!(status == 200, "{path}: {status} {body}");
    serde_json::from_str(&body).with_context(|| format!("{path}: {body}"))
}

/// Waits until a page has the status; it is asked again as soon as it has answered, at the rate that the listener allows.
fn wait_for(address: SocketAddr, path: &str, status: u16) -> Result<String> {
    let deadline = Instant::now() + LIMIT;
    loop {
        match get(address, path) {
            Ok((found, body)) if found == status => return Ok(body),
            found => ensure!(Instant::now() < deadline, "{path} is not {status}: {found:?}"),
        }
        thread::yield_now();
    }
}

#[test]
fn a_daemon_tells_how_it_stands_and_no_secret() {
    scenario(|scenario| {
        let (world, repository) = (&scenario.world, &scenario.repository);
        let address = free_address()?;
        let listen = address.to_string();
        let mut daemon = scenario.daemon(&["--listen", &listen])?;
        // There is nothing in the repository yet: alive, and not ready.
        wait_for(address, "/healthz", 200)?;
        let (status, reasons) = get(address, "/readyz")?;
        ensure!(status == 503 && reasons.contains("no desired state is loaded"), "{status} {reasons}");

        repository.copy(&trueup_e2e::example(), "desired-state")?;
        repository.edit(TASK_DEFINITION, "value = \"INFO\"", &format!("value = \"{CANARY}\""))?;
        let first = repository.push("The e-learning system")?;
        daemon.wait_for_revision("revision.accepted", &first)?;
        world.wait_for("CreateService", 0, 1)?;
        world.wait_for_rest(0)?;
        wait_for(address, "/readyz", 200)?;
        let health = scenario.run_offline(&["health", "--listen", &listen])?;
        ensure!(health.code == Some(0), "{health:?}");

        let page = json(address, "/api/v1/applications?environment=production&sync=Synced")?;
        ensure!(page["source"]["revision"] == first.as_str() && page["ready"] == true, "{page}");
        let told = page["applications"].as_array().context("a list")?;
        ensure!(told.len() == 1 && told[0]["application"] == "elearning", "{page}");
        ensure!(json(address, "/api/v1/applications/production/elearning")?["revision"] == first.as_str());

        // Somebody follows; then a commit comes.
        let newest = json(address, "/api/v1/events?limit=1")?["newest"].as_str().context("a cursor")?.to_owned();
        let mark = world.mark()?;
        repository.edit(TASK_DEFINITION, CANARY, &format!("{CANARY}-2"))?;
        let second = repository.push("Another value")?;
        daemon.wait_for_revision("step.applied", &second)?;
        world.wait_for("UpdateService", mark, 1)?;
        world.wait_for_rest(mark)?;
        let follow = |more: &str| json(address, &format!("/api/v1/events?after={newest}{more}"));
        let names = |page: &Value| -> Vec<String> {
            let events = page["events"].as_array().into_iter().flatten();
            events.map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect()
        };
        let events = names(&follow("")?);
        ensure!(events.first().is_some_and(|name| name == "revision.accepted"), "{events:?}");
        let steps = names(&follow("&event=step.*&application=elearning")?);
        ensure!(steps.len() >= 2 && steps.iter().all(|name| name == "step.applied"), "{steps:?} of {events:?}");
        ensure!(follow("&event=revision.accepted")?["events"][0]["revision"] == second.as_str());

        let (status, metrics) = get(address, "/metrics")?;
        ensure!(status == 200 && metrics.ends_with("# EOF\n"), "{status} {metrics}");
        for line in [
            "trueup_ready 1",
            "trueup_application_sync{environment=\"production\",application=\"elearning\",sync=\"Synced\"} 1",
            "trueup_events_total{event=\"revision.accepted\"} 2",
        ] {
            ensure!(metrics.lines().any(|found| found == line), "{line} is not in\n{metrics}");
        }
        ensure!(
            metrics.contains("trueup_api_call_duration_seconds_count{operation=\"ecs:DescribeServices\""),
            "{metrics}"
        );
        for page in [metrics, follow("")?.to_string(), get(address, "/api/v1/events?limit=500")?.1, page.to_string()] {
            ensure!(!page.contains("canary"), "a secret is in\n{page}");
        }
        let (status, _) = get(address, "/api/v1/events?events=all")?;
        ensure!(status == 400, "{status}");

        let (code, _) = daemon.terminate()?;
        ensure!(code == Some(0) && !daemon.last_words().contains("canary"), "{code:?} {}", daemon.last_words());
        ensure!(!daemon.events.iter().any(|event| event.to_string().contains("canary")));
        ensure!(TcpStream::connect(address).is_err(), "nobody listens any more");
        Ok(())
    });
}

#[test]
fn an_address_in_use_delays_nothing_and_is_taken_when_it_is_free() {
    scenario(|scenario| {
        let taken = TcpListener::bind("127.0.0.1:0")?;
        let address = taken.local_addr()?;
        let first = scenario.push_example()?;
        let mut daemon = scenario.daemon(&["--listen", &address.to_string()])?;
        daemon.wait_for_revision("revision.accepted", &first)?;
        scenario.world.wait_for("CreateService", 0, 1)?;
        scenario.world.wait_for_rest(0)?;
        drop(taken);
        wait_for(address, "/readyz", 200)?;
        let (code, _) = daemon.terminate()?;
        let said = daemon.last_words();
        ensure!(
            code == Some(0) && said.matches("The reports listener cannot listen on its address").count() == 1,
            "{code:?} {said}"
        );
        Ok(())
    });
}

/// How long some cycles take.
fn cycles(world: &World) -> Result<Duration> {
    let (begun, mark) = (Instant::now(), world.mark()?);
    world.wait_for("DescribeServices", mark, CYCLES)?;
    Ok(begun.elapsed())
}

#[test]
fn a_flood_of_questions_and_slow_readers_leave_the_loop_alone() {
    scenario(|scenario| {
        let world = &scenario.world;
        let address = free_address()?;
        let first = scenario.push_example()?;
        let mut daemon = scenario.daemon(&["--listen", &address.to_string()])?;
        daemon.wait_for_revision("revision.accepted", &first)?;
        world.wait_for("CreateService", 0, 1)?;
        world.wait_for_rest(0)?;
        wait_for(address, "/readyz", 200)?;
        let calm = cycles(world)?;

        // Who asks and does not read, and who does not even finish asking.
        let slow: Vec<TcpStream> = (0..100)
            .map(|number| {
                let mut client = TcpStream::connect(address)?;
                let end = if number % 2 == 0 { "\r\n\r\n" } else { "\r\nx-a: " };
                client.write_all(format!("GET /metrics HTTP/1.1\r\nhost: {address}{end}").as_bytes())?;
                Ok(client)
            })
            .collect::<Result<_>>()?;
        let (stop, sent) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let flood = {
            let (stop, sent) = (Arc::clone(&stop), Arc::clone(&sent));
            thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    // Answered, refused or cut off: what comes of it does not matter.
                    let _ = get(address, "/metrics");
                    sent.fetch_add(1, Ordering::Relaxed);
                }
            })
        };
        let flooded = cycles(world)?;
        let alive = get(address, "/healthz");
        stop.store(true, Ordering::Relaxed);
        flood.join().ok().context("the flood broke")?;
        drop(slow);
        let count = sent.load(Ordering::Relaxed);
        ensure!(count > 100, "{count} questions are no flood");
        ensure!(alive.as_ref().is_ok_and(|(status, _)| *status == 200), "{alive:?}");
        // Whole cycles are a second apart; what the flood may cost is a part of one, on a machine that sends it as well.
        let most = calm + calm / 2 + Duration::from_secs(1);
        ensure!(flooded < most, "{CYCLES} cycles took {flooded:?} in a flood of {count}, and {calm:?} without");

        // And a commit is deployed as before.
        let mark = world.mark()?;
        scenario.repository.edit(TARGET_GROUP, "HealthCheckIntervalSeconds = 60", "HealthCheckIntervalSeconds = 45")?;
        let second = scenario.repository.push("Look more often")?;
        daemon.wait_for_revision("revision.accepted", &second)?;
        world.wait_for("ModifyTargetGroup", mark, 1)?;
        Ok(())
    });
}
