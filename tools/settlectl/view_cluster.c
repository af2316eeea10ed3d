/* Status, transactions, audits. */
#include "grid.h"
#include "view_internal.h"

#include <inttypes.h>

/* ---- status ---- */

static json_t *coordinator_json(const struct settle_coordinator *coordinator)
{
    struct making object = making_object(), groups = making_array();

    for (uint16_t i = 0; i < coordinator->group_count; i++) {
        struct making group = making_object();

        making_put(&group, "group", json_integer(coordinator->groups[i].group));
        making_put(&group, "epoch", number_text_json(coordinator->groups[i].epoch));
        making_append(&groups, making_end(&group));
    }
    making_put(&object, "id", json_string(coordinator->id));
    making_put(&object, "role", json_string(settle_role_name(coordinator->role)));
    making_put(&object, "live", json_boolean(coordinator->live));
    making_put(&object, "address", text_or_null(coordinator->address));
    making_put(&object, "groups", making_end(&groups));
    making_put(&object, "answered", json_boolean(coordinator->answered));
    return making_end(&object);
}

static json_t *told_json(const struct settle_participant *participant, uint64_t number)
{
    return participant->answered ? json_integer((json_int_t)number) : json_null();
}

static json_t *participant_json(const struct settle_participant *participant)
{
    struct making object = making_object();

    making_put(&object, "id", json_string(participant->id));
    making_put(&object, "up", json_boolean(participant->up));
    making_put(&object, "incarnation", number_text_json(participant->incarnation));
    making_put(&object, "address", text_or_null(participant->address));
    making_put(&object, "in_doubt", told_json(participant, participant->prepared));
    making_put(&object, "stale_refused", told_json(participant, participant->stale_refused));
    making_put(&object, "answered", json_boolean(participant->answered));
    return making_end(&object);
}

static json_t *status_json(const struct settle_status *status)
{
    struct making object = making_object(), coordinators = making_array(),
                  participants = making_array();

    for (size_t i = 0; i < status->coordinator_count; i++)
        making_append(&coordinators, coordinator_json(&status->coordinators[i]));
    for (size_t i = 0; i < status->participant_count; i++)
        making_append(&participants, participant_json(&status->participants[i]));
    making_put(&object, "cluster", json_string(status->cluster));
    making_put(&object, "coordinators", making_end(&coordinators));
    making_put(&object, "participants", making_end(&participants));
    making_put(&object, "in_flight", json_integer((json_int_t)status->in_flight));
    making_put(&object, "in_doubt", json_integer((json_int_t)status->in_doubt));
    making_put(&object, "committed", json_integer((json_int_t)status->committed));
    making_put(&object, "aborted", json_integer((json_int_t)status->aborted));
    making_put(&object, "stale_refused", json_integer((json_int_t)status->stale_refused));
    making_put(&object, "lmdb_commits", json_integer((json_int_t)status->lmdb_commits));
    return making_end(&object);
}

/* "0-7,12": the groups a coordinator leads, ascending; `text` is cut when it must be. */
static void groups_format(const struct settle_coordinator *coordinator, char *text, size_t size)
{
    size_t used = 0;
    uint16_t i = 0;

    text[0] = '\0';
    while (i < coordinator->group_count && used < size) {
        uint16_t last = i;
        int wrote;

        while (last + 1 < coordinator->group_count &&
               coordinator->groups[last + 1].group == coordinator->groups[last].group + 1)
            last++;
        wrote = snprintf(text + used, size - used, last > i ? "%s%u-%u" : "%s%u", used ? "," : "",
                         coordinator->groups[i].group, coordinator->groups[last].group);
        used += wrote > 0 ? (size_t)wrote : 0;
        i = (uint16_t)(last + 1);
    }
}

static uint64_t epoch_max(const struct settle_coordinator *coordinator)
{
    uint64_t epoch = 0;

    for (uint16_t i = 0; i < coordinator->group_count; i++) {
        if (coordinator->groups[i].epoch > epoch)
            epoch = coordinator->groups[i].epoch;
    }
    return epoch;
}

static const char *role_of(const struct settle_coordinator *coordinator)
{
    if (!coordinator->live)
        return "down";
    return coordinator->answered ? settle_role_name(coordinator->role) : "silent";
}

static int coordinators_print(const struct view *view, const struct settle_status *status)
{
    static const struct grid_column columns[] = {
        {"COORDINATOR", 0}, {"ROLE", 0}, {"GROUPS", 0}, {"EPOCH", 1}, {"ADDRESS", 0}};
    struct grid grid;

    grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < status->coordinator_count; i++) {
        const struct settle_coordinator *coordinator = &status->coordinators[i];
        char groups[128];

        groups_format(coordinator, groups, sizeof(groups));
        grid_add(&grid, "%s", coordinator->id);
        grid_add(&grid, "%s", role_of(coordinator));
        grid_add(&grid, "%s", groups[0] ? groups : "-");
        if (coordinator->group_count)
            grid_add(&grid, "%" PRIu64, epoch_max(coordinator));
        else
            grid_add(&grid, "-");
        grid_add(&grid, "%s", coordinator->address[0] ? coordinator->address : "-");
    }
    return grid_print(&grid, view->out);
}

static const char *presence_of(const struct settle_participant *participant)
{
    if (!participant->up)
        return "no";
    return participant->answered ? "yes" : "silent";
}

static int participants_print(const struct view *view, const struct settle_status *status)
{
    static const struct grid_column columns[] = {
        {"PARTICIPANT", 0}, {"UP", 0},    {"INCARNATION", 1},
        {"IN-DOUBT", 1},    {"STALE", 1}, {"ADDRESS", 0},
    };
    struct grid grid;

    grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < status->participant_count; i++) {
        const struct settle_participant *participant = &status->participants[i];

        grid_add(&grid, "%s", participant->id);
        grid_add(&grid, "%s", presence_of(participant));
        grid_add(&grid, "%" PRIu64, participant->incarnation);
        if (participant->answered) {
            grid_add(&grid, "%" PRIu64, participant->prepared);
            grid_add(&grid, "%" PRIu64, participant->stale_refused);
        } else {
            grid_add(&grid, "?");
            grid_add(&grid, "?");
        }
        grid_add(&grid, "%s", participant->address[0] ? participant->address : "-");
    }
    return grid_print(&grid, view->out);
}

int view_status(const struct view *view, const struct settle_status *status)
{
    if (view->json)
        return view_json(view, status_json(status));
    fprintf(view->out, "cluster %s\n\n", status->cluster);
    if (coordinators_print(view, status) != 0)
        return -1;
    fprintf(view->out, "\n");
    if (participants_print(view, status) != 0)
        return -1;
    fprintf(view->out,
            "\nin flight %" PRIu64 ", in doubt %" PRIu64 ", committed %" PRIu64 ", aborted %" PRIu64
            ", stale messages refused %" PRIu64 "\n",
            status->in_flight, status->in_doubt, status->committed, status->aborted,
            status->stale_refused);
    return 0;
}

/* ---- transactions ---- */

static const char *protocol_name(enum settle_protocol protocol)
{
    return protocol == SETTLE_3PC ? "3pc" : "2pc";
}

static json_t *value_json(const struct settle_txn *txn)
{
    struct making value = making_array();

    for (size_t i = 0; i < txn->value_count; i++) {
        struct making one = making_object();

        making_put(&one, "currency", json_string(txn->value[i].currency));
        making_put(&one, "amount", amount_json(txn->value[i].amount, txn->value[i].currency));
        making_append(&value, making_end(&one));
    }
    return making_end(&value);
}

static json_t *votes_json(const struct settle_txn *txn)
{
    struct making votes = making_array();

    for (size_t i = 0; i < txn->party_count; i++) {
        struct making one = making_object();

        making_put(&one, "participant", json_string(txn->parties[i].participant));
        making_put(&one, "vote", json_string(txn->parties[i].vote));
        making_append(&votes, making_end(&one));
    }
    return making_end(&votes);
}

static json_t *waiting_json(const struct settle_txn *txn)
{
    struct making waiting = making_array();

    for (size_t i = 0; i < txn->party_count; i++) {
        if (txn->parties[i].waiting)
            making_append(&waiting, json_string(txn->parties[i].participant));
    }
    return making_end(&waiting);
}

static json_t *txn_json(const struct settle_txn *txn)
{
    char id[SETTLE_ID_TEXT_SIZE];
    struct making object = making_object();

    making_put(&object, "id", json_string(settle_id_format(&txn->id, id)));
    making_put(&object, "state", json_string(txn->state));
    making_put(&object, "protocol", json_string(protocol_name(txn->protocol)));
    making_put(&object, "group", json_integer(txn->group));
    making_put(&object, "epoch", number_text_json(txn->epoch));
    making_put(&object, "age_ms", json_integer((json_int_t)txn->age_ms));
    making_put(&object, "deadline_in_ms",
               txn->has_deadline ? json_integer((json_int_t)txn->deadline_in_ms) : json_null());
    making_put(&object, "waiting_for", waiting_json(txn));
    making_put(&object, "value", value_json(txn));
    making_put(&object, "votes", votes_json(txn));
    making_put(&object, "reason",
               txn->reason ? json_string(settle_reason_name(txn->reason)) : json_null());
    making_put(&object, "error", text_or_null(txn->error));
    making_put(&object, "seen_by", text_or_null(txn->seen_by));
    return making_end(&object);
}

static int txns_json(const struct view *view, const struct settle_txn *list, size_t count)
{
    int rc = 0;

    for (size_t i = 0; i < count && rc == 0; i++)
        rc = view_json(view, txn_json(&list[i]));
    return rc;
}

/* "bank-a:YES bank-b:NONE", or with `waiting` the names of those waited for. */
static void parties_format(const struct settle_txn *txn, bool waiting, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < txn->party_count && used < size; i++) {
        const struct settle_txn_party *party = &txn->parties[i];
        int wrote = 0;

        if (!waiting)
            wrote = snprintf(text + used, size - used, "%s%s:%s", used ? " " : "",
                             party->participant, party->vote);
        else if (party->waiting)
            wrote = snprintf(text + used, size - used, "%s%s", used ? "," : "", party->participant);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void value_format(const struct settle_txn *txn, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < txn->value_count && used < size; i++) {
        char amount[SETTLE_AMOUNT_TEXT_SIZE];
        int wrote = snprintf(
            text + used, size - used, "%s%s %s", used ? ", " : "", txn->value[i].currency,
            settle_amount_format(txn->value[i].amount, txn->value[i].currency, amount));

        used += wrote > 0 ? (size_t)wrote : 0;
    }
}

static void txn_row(struct grid *grid, const struct settle_txn *txn)
{
    char id[SETTLE_ID_TEXT_SIZE], text[512];

    grid_add(grid, "%s", settle_id_format(&txn->id, id));
    grid_add(grid, "%s", txn->state);
    grid_add(grid, "%s", protocol_name(txn->protocol));
    grid_add(grid, "%u", txn->group);
    grid_add(grid, "%" PRIu64, txn->epoch);
    grid_add(grid, "%.1f s", (double)txn->age_ms / 1000.0);
    parties_format(txn, false, text, sizeof(text));
    grid_add(grid, "%s", text[0] ? text : "-");
    parties_format(txn, true, text, sizeof(text));
    grid_add(grid, "%s", text[0] ? text : "-");
    value_format(txn, text, sizeof(text));
    grid_add(grid, "%s", text[0] ? text : "-");
    grid_add(grid, "%s", txn->error[0] ? txn->error : "-");
}

int view_txns(const struct view *view, const struct settle_txn *list, size_t count)
{
    static const struct grid_column columns[] = {
        {"ID", 0},  {"STATE", 0}, {"PROTOCOL", 0},    {"GROUP", 1}, {"EPOCH", 1},
        {"AGE", 1}, {"VOTES", 0}, {"WAITING-FOR", 0}, {"VALUE", 0}, {"LAST-ERROR", 0}};
    struct grid grid;

    if (view->json)
        return txns_json(view, list, count);
    if (count == 0) {
        fprintf(view->out, "nothing is in flight or in doubt\n");
        return 0;
    }
    grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < count; i++)
        txn_row(&grid, &list[i]);
    return grid_print(&grid, view->out);
}

static int txn_votes_print(const struct view *view, const struct settle_txn *txn)
{
    static const struct grid_column columns[] = {{"PARTICIPANT", 0}, {"VOTE", 0}, {"WAITING", 0}};
    struct grid grid;

    grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < txn->party_count; i++) {
        grid_add(&grid, "%s", txn->parties[i].participant);
        grid_add(&grid, "%s", txn->parties[i].vote);
        grid_add(&grid, "%s", txn->parties[i].waiting ? "yes" : "no");
    }
    return grid_print(&grid, view->out);
}

static int txn_detail_print(const struct view *view, const struct settle_txn *txn)
{
    char id[SETTLE_ID_TEXT_SIZE], value[512];

    value_format(txn, value, sizeof(value));
    fprintf(view->out, "id        %s\nseen by   %s\nstate     %s\nprotocol  %s\n",
            settle_id_format(&txn->id, id), txn->seen_by, txn->state, protocol_name(txn->protocol));
    fprintf(view->out, "group     %u\nepoch     %" PRIu64 "\nage       %.1f s\n", txn->group,
            txn->epoch, (double)txn->age_ms / 1000.0);
    if (txn->has_deadline)
        fprintf(view->out, "deadline  in %.1f s\n", (double)txn->deadline_in_ms / 1000.0);
    if (value[0])
        fprintf(view->out, "value     %s\n", value);
    if (txn->reason)
        fprintf(view->out, "reason    %s: %s\n", settle_reason_name(txn->reason),
                settle_reason_text(txn->reason));
    if (txn->error[0])
        fprintf(view->out, "error     %s\n", txn->error);
    return txn->party_count ? txn_votes_print(view, txn) : 0;
}

int view_txn_details(const struct view *view, const struct settle_txn *list, size_t count)
{
    int rc = 0;

    if (view->json)
        return txns_json(view, list, count);
    for (size_t i = 0; i < count && rc == 0; i++) {
        if (i > 0)
            fprintf(view->out, "\n");
        rc = txn_detail_print(view, &list[i]);
    }
    return rc;
}

/* ---- audit ---- */

static json_t *audit_line_json(const struct settle_audit_line *line)
{
    struct making object = making_object();

    making_put(&object, "currency", json_string(line->currency));
    making_put(&object, "posted", json_string(line->posted));
    making_put(&object, "in_doubt", json_string(line->in_doubt));
    making_put(&object, "balanced", json_boolean(line->balanced));
    return making_end(&object);
}

/* Sums without somebody's books say nothing: neither balanced nor not. */
static const char *balance_word(const struct settle_audit *audit,
                                const struct settle_audit_line *line)
{
    if (audit->missing_count > 0)
        return "incomplete";
    return line->balanced ? "yes" : "NO";
}

static int audit_print(const struct view *view, const struct settle_audit *audit)
{
    static const struct grid_column columns[] = {
        {"CURRENCY", 0}, {"POSTED", 1}, {"IN-DOUBT", 1}, {"BALANCED", 0}};
    char instant[INSTANT_SIZE];
    struct grid grid;

    fprintf(view->out, "as of %s, %" PRIu64 " in doubt\n\n", instant_format(audit->cut_ms, instant),
            audit->in_doubt_count);
    grid_init(&grid, columns, sizeof(columns) / sizeof(columns[0]));
    for (size_t i = 0; i < audit->line_count; i++) {
        const struct settle_audit_line *line = &audit->lines[i];

        grid_add(&grid, "%s", line->currency);
        grid_add(&grid, "%s", line->posted);
        grid_add(&grid, "%s", line->in_doubt);
        grid_add(&grid, "%s", balance_word(audit, line));
    }
    return grid_print(&grid, view->out);
}

int view_audit(const struct view *view, const struct settle_audit *audit)
{
    int rc = 0;

    if (!view->json)
        return audit_print(view, audit);
    for (size_t i = 0; i < audit->line_count && rc == 0; i++)
        rc = view_json(view, audit_line_json(&audit->lines[i]));
    return rc;
}
