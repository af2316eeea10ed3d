#include "settlectl/order.h"

#include "support/runner.h"

#include <stdlib.h>
#include <string.h>

#define ID  "01936f0e-7c5e-7a41-9d5b-2f8a5b1c7e10"
#define LEG "{\"account\":\"bank-a/X\",\"side\":\"debit\",\"amount\":\"1.00\",\"currency\":\"USD\"}"

static bool read_text(struct order *order, const char *text, size_t size,
                      char complaint[COMPLAINT_SIZE])
{
    /* fmemopen() cannot be given a constant, although it only reads. */
    char *copy = malloc(size + 1);
    FILE *in;
    bool fine;

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, text, size);
    in = fmemopen(copy, size, "r");
    CU_ASSERT_PTR_NOT_NULL_FATAL(in);
    complaint[0] = '\0';
    fine = order_read(order, in, "order.json", complaint);
    fclose(in);
    free(copy);
    return fine;
}

static void what_is_wrong_is_named(void)
{
    static const struct {
        const char *text, *complaint;
    } rows[] = {
        {"{\"legs\": [\n  {\"account\": bank-a}]}", "order.json:2:18: invalid token near 'bank'"},
        {"[]", "order.json: must be an object, but is an array"},
        {"{}", "order.json: legs: is missing"},
        {"{\"memmo\":\"x\"}", "order.json: memmo: unknown; an order has \"id\", \"protocol\", "
                              "\"deadline_ms\", \"memo\", \"legs\""},
        {"{\"legs\":{}}", "order.json: legs: must be an array, but is an object"},
        {"{\"legs\":[]}", "order.json: legs: has 0 legs; 1 to 128 are allowed"},
        {"{\"legs\":[1]}", "order.json: legs[0]: must be an object, but is a whole number"},
        {"{\"legs\":[" LEG ",{\"account\":\"bank-a/X\"}]}", "order.json: legs[1].side: is missing"},
        {"{\"legs\":[{\"account\":\"X\",\"side\":\"debit\",\"amount\":\"1\",\"currency\":"
         "\"USD\"}]}",
         "order.json: legs[0].account: 'X' names no account: write PARTICIPANT/ACCOUNT, like "
         "bank-a/ALICE"},
        {"{\"legs\":[{\"account\":\"bank-a/X\",\"side\":\"Debit\",\"amount\":\"1\",\"currency\":"
         "\"USD\"}]}",
         "order.json: legs[0].side: 'Debit' is neither \"debit\" nor \"credit\""},
        {"{\"legs\":[{\"account\":\"bank-a/X\",\"side\":\"debit\",\"amount\":1.5,\"currency\":"
         "\"USD\"}]}",
         "order.json: legs[0].amount: must be a string, but is a number"},
        {"{\"legs\":[{\"account\":\"bank-a/X\",\"side\":\"debit\",\"amount\":\"0.00\","
         "\"currency\":\"USD\"}]}",
         "order.json: legs[0].amount: '0.00' is not above zero; the side says where money goes"},
        {"{\"legs\":[{\"account\":\"bank-a/X\",\"side\":\"debit\",\"amount\":\"-1.00\","
         "\"currency\":\"USD\"}]}",
         "order.json: legs[0].amount: '-1.00' is not above zero; the side says where money goes"},
        {"{\"legs\":[{\"account\":\"bank-a/X\",\"side\":\"debit\",\"amount\":\"1\",\"currency\":"
         "\"ABC\"}]}",
         "order.json: legs[0].currency: 'ABC' is no currency of ISO 4217"},
        {"{\"legs\":[{\"account\":\"bank-a/X\",\"memo\":\"\"}]}",
         "order.json: legs[0].memo: unknown; a leg has \"account\", \"side\", \"amount\", "
         "\"currency\""},
        {"{\"id\":\"c0ffee\",\"legs\":[" LEG "]}",
         "order.json: id: 'c0ffee' is no id: a UUIDv7 of 36 characters, as 'settlectl id' prints"},
        {"{\"id\":7,\"legs\":[" LEG "]}",
         "order.json: id: must be a string, but is a whole number"},
        {"{\"protocol\":\"4pc\",\"legs\":[" LEG "]}",
         "order.json: protocol: '4pc' is neither \"2pc\" nor \"3pc\""},
        {"{\"deadline_ms\":0,\"legs\":[" LEG "]}",
         "order.json: deadline_ms: must be a whole number from 1 to 3600000"},
        {"{\"deadline_ms\":1.5,\"legs\":[" LEG "]}",
         "order.json: deadline_ms: must be a whole number from 1 to 3600000"},
        {"{\"legs\":[" LEG "]} x", "order.json:1:83: end of file expected near 'x'"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char complaint[COMPLAINT_SIZE];
        struct order order;

        CU_ASSERT_FALSE(read_text(&order, rows[i].text, strlen(rows[i].text), complaint));
        if (strcmp(complaint, rows[i].complaint) != 0)
            printf("\n  wanted: %s\n  got:    %s\n", rows[i].complaint, complaint);
        CU_ASSERT_STRING_EQUAL(complaint, rows[i].complaint);
        order_release(&order);
    }
}

static void amounts_that_only_the_currency_refuses(void)
{
    static const char *const rows[][2] = {
        {"1.005", "USD"}, {"1.5", "JPY"}, {"1.2345", "BHD"}, {"99999999999999999999", "USD"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char complaint[COMPLAINT_SIZE], text[256];
        struct order order;

        snprintf(text, sizeof(text),
                 "{\"legs\":[{\"account\":\"bank-a/X\",\"side\":\"debit\",\"amount\":\"%s\","
                 "\"currency\":\"%s\"}]}",
                 rows[i][0], rows[i][1]);
        CU_ASSERT_FALSE(read_text(&order, text, strlen(text), complaint));
        CU_ASSERT_PTR_NOT_NULL(strstr(complaint, "order.json: legs[0].amount: '"));
        order_release(&order);
    }
}

static void a_double_key_is_refused(void)
{
    static const char text[] = "{\"memo\":\"a\",\"memo\":\"b\",\"legs\":[" LEG "]}";
    char complaint[COMPLAINT_SIZE];
    struct order order;

    CU_ASSERT_FALSE(read_text(&order, text, sizeof(text) - 1, complaint));
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint, "order.json:1:"));
    CU_ASSERT_PTR_NOT_NULL(strstr(complaint, "duplicate"));
    order_release(&order);
}

static void everything_given_is_taken(void)
{
    static const char text[] =
        "{\"id\":\"" ID "\",\"protocol\":\"3pc\",\"deadline_ms\":250,\"memo\":\"caf\\u00e9\","
        "\"legs\":[" LEG ",{\"account\":\"bank-b/Y-1\",\"side\":\"credit\",\"amount\":\"1\","
        "\"currency\":\"JPY\"}]}";
    char complaint[COMPLAINT_SIZE], id[SETTLE_ID_TEXT_SIZE];
    struct order order;

    CU_ASSERT_FATAL(read_text(&order, text, sizeof(text) - 1, complaint));
    CU_ASSERT(order.has_id);
    CU_ASSERT_STRING_EQUAL(settle_id_format(&order.submit.id, id), ID);
    CU_ASSERT_EQUAL(order.submit.protocol, SETTLE_3PC);
    CU_ASSERT_EQUAL(order.submit.deadline_ms, 250);
    CU_ASSERT_STRING_EQUAL(order.submit.memo, "caf\xc3\xa9");
    CU_ASSERT_EQUAL_FATAL(order.submit.leg_count, 2);
    CU_ASSERT_STRING_EQUAL(order.submit.legs[0].participant, "bank-a");
    CU_ASSERT_STRING_EQUAL(order.submit.legs[0].account, "X");
    CU_ASSERT_EQUAL(order.submit.legs[0].side, SETTLE_DEBIT);
    CU_ASSERT_EQUAL(order.submit.legs[0].amount, 100);
    CU_ASSERT_STRING_EQUAL(order.submit.legs[1].account, "Y-1");
    CU_ASSERT_EQUAL(order.submit.legs[1].side, SETTLE_CREDIT);
    CU_ASSERT_EQUAL(order.submit.legs[1].amount, 1);
    order_release(&order);
}

static void only_legs_are_required(void)
{
    static const char text[] = "{\"legs\":[" LEG "]}";
    char complaint[COMPLAINT_SIZE];
    struct order order;

    CU_ASSERT_FATAL(read_text(&order, text, sizeof(text) - 1, complaint));
    CU_ASSERT_FALSE(order.has_id);
    CU_ASSERT_EQUAL(order.submit.deadline_ms, 0);
    CU_ASSERT_PTR_NULL(order.submit.memo);
    order_release(&order);
}

/* Text of `count` legs; to be freed. */
static char *legs_text(size_t count, size_t *ret_size)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(out);
    fprintf(out, "{\"legs\":[");
    for (size_t i = 0; i < count; i++)
        fprintf(out, "%s" LEG, i ? "," : "");
    fprintf(out, "]}");
    fclose(out);
    return text;
}

static void as_many_legs_as_allowed_and_one_more(void)
{
    char complaint[COMPLAINT_SIZE];
    struct order order;
    size_t size;
    char *text = legs_text(SETTLE_LEGS_MAX, &size);

    CU_ASSERT(read_text(&order, text, size, complaint));
    CU_ASSERT_EQUAL(order.submit.leg_count, SETTLE_LEGS_MAX);
    order_release(&order);
    free(text);
    text = legs_text(SETTLE_LEGS_MAX + 1, &size);
    CU_ASSERT_FALSE(read_text(&order, text, size, complaint));
    CU_ASSERT_STRING_EQUAL(complaint, "order.json: legs: has 129 legs; 1 to 128 are allowed");
    order_release(&order);
    free(text);
}

static void too_large_is_refused_before_it_is_parsed(void)
{
    char complaint[COMPLAINT_SIZE];
    struct order order;
    size_t size = ORDER_SIZE_MAX + 1;
    char *text = malloc(size);

    CU_ASSERT_PTR_NOT_NULL_FATAL(text);
    memset(text, ' ', size);
    CU_ASSERT_FALSE(read_text(&order, text, size, complaint));
    CU_ASSERT_STRING_EQUAL(complaint, "order.json: is larger than 262144 bytes");
    order_release(&order);
    free(text);
}

int main(int argc, char **argv)
{
    CU_TestInfo tests[] = {
        {"what_is_wrong_is_named", what_is_wrong_is_named},
        {"amounts_that_only_the_currency_refuses", amounts_that_only_the_currency_refuses},
        {"a_double_key_is_refused", a_double_key_is_refused},
        {"everything_given_is_taken", everything_given_is_taken},
        {"only_legs_are_required", only_legs_are_required},
        {"as_many_legs_as_allowed_and_one_more", as_many_legs_as_allowed_and_one_more},
        {"too_large_is_refused_before_it_is_parsed", too_large_is_refused_before_it_is_parsed},
        CU_TEST_INFO_NULL,
    };
    CU_SuiteInfo suites[] = {{"settlectl_order", NULL, NULL, NULL, NULL, tests},
                             CU_SUITE_INFO_NULL};

    return runner_main(suites, argc, argv);
}
