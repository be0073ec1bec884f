use super::harness::{House, text};

const FORM: &str = "application/x-www-form-urlencoded";

async fn form(house: &House) -> String {
    let key = text(&house.call("GET /api/rooms/cinema").admin().expect(200).await.json["streamKey"]);
    format!("app=live&addr=192.0.2.1&clientid=7&call=publish&name={key}&type=live")
}

#[tokio::test]
async fn a_hook_with_the_secret_lets_the_right_key_publish() {
    let house = House::open().await;
    let form = form(&house).await;
    let secret = house.control.secrets().hook_secret().expose().to_owned();
    let by_query = format!("POST /hooks/rtmp/publish?hookSecret={secret}");
    house.call(&by_query).raw(FORM, &form).expect(204).await;
    house
        .call("POST /hooks/rtmp/publish")
        .header("x-hook-secret", &secret)
        .raw(FORM, &form)
        .expect(204)
        .await;
    house.call(&by_query).raw(FORM, "name=sk_wrong").expect(403).await;
    house.call(&by_query).raw(FORM, "app=live").expect(400).await;
    house.call(&by_query).raw("application/json", "{}").expect(400).await;
    assert_eq!(house.plane.take_told(), [] as [&str; 0]);
}

#[tokio::test]
async fn a_hook_without_the_secret_has_to_come_from_this_machine() {
    let house = House::open().await;
    let form = form(&house).await;
    let call = |peer: &str| house.call("POST /hooks/rtmp/publish").from(peer).raw(FORM, &form);
    call("192.0.2.7:1").expect(403).await;
    call("127.0.0.1:1").expect(204).await;
    call("[::1]:1").expect(204).await;
    call("[::ffff:127.0.0.1]:1").expect(204).await;
    call("127.0.0.1:1")
        .header("x-forwarded-for", "192.0.2.7")
        .expect(403)
        .await;
    let wrong = house
        .call("POST /hooks/rtmp/publish?hookSecret=wrong")
        .from("127.0.0.1:1");
    wrong.raw(FORM, &form).expect(403).await;
}

#[tokio::test]
async fn a_publisher_that_is_done_ends_its_stream() {
    let house = House::open().await;
    let form = form(&house).await;
    house
        .call("POST /hooks/rtmp/done")
        .from("127.0.0.1:1")
        .raw(FORM, &form)
        .expect(204)
        .await;
    let told = house.plane.take_told();
    assert_eq!(
        told.last().unwrap(),
        "publisher of cinema on connection 7 is done: Stopped"
    );
    house
        .call("POST /hooks/rtmp/done")
        .from("127.0.0.1:1")
        .raw(FORM, "name=x")
        .expect(403)
        .await;
    house.call("POST /hooks/rtmp/done").raw(FORM, &form).expect(403).await;
}

#[tokio::test]
async fn an_encoder_in_front_that_cannot_tell_a_stop_from_a_loss_says_so() {
    let house = House::open().await;
    let form = form(&house).await;
    let done = || house.call("POST /hooks/rtmp/done?mayReturn=1").from("127.0.0.1:1");
    done().raw(FORM, &form).expect(204).await;
    let told = house.plane.take_told();
    assert_eq!(
        told.last().unwrap(),
        "publisher of cinema on connection 7 is done: Lost"
    );
    done().raw(FORM, "name=on-air-1").expect(204).await;
    assert_eq!(house.plane.take_told(), ["on-air-1 is done: Lost"]);
}

#[tokio::test]
async fn a_stream_is_renamed_when_that_is_asked_for() {
    let house = House::open().await;
    let form = form(&house).await;
    let publish = || house.call("POST /hooks/rtmp/publish?rename=1").from("127.0.0.1:1");
    let (status, reply) = publish().raw(FORM, &form).send().await;
    assert_eq!(
        (status.as_u16(), reply.headers["location"].to_str().unwrap()),
        (302, "on-air-1")
    );
    assert_eq!(
        house.plane.take_told(),
        ["pass for cinema by 127.0.0.1, of 192.0.2.1 on connection 7"]
    );
    publish().raw(FORM, "name=sk_wrong").expect(403).await;
    let done = house.call("POST /hooks/rtmp/done").from("127.0.0.1:1");
    done.raw(FORM, "name=on-air-1").expect(204).await;
    assert_eq!(house.plane.take_told(), ["on-air-1 is done: Stopped"]);
    *house.plane.is_taken.lock().unwrap() = true;
    publish().raw(FORM, &form).expect(403).await;
}

#[tokio::test]
async fn a_key_that_is_changed_while_its_stream_is_renamed_opens_nothing() {
    let house = House::open().await;
    let form = form(&house).await;
    let control = house.control.clone();
    *house.plane.at_pass.lock().unwrap() = Some(Box::pin(async move {
        control.rotate_stream_key(&"cinema".parse().unwrap()).await.unwrap();
    }));
    let publish = house.call("POST /hooks/rtmp/publish?rename=1").from("127.0.0.1:1");
    publish.raw(FORM, &form).expect(403).await;
}
