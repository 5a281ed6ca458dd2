# Every folder below results/ is a target: `results/performance`, `results/performance/demo`,
# `results/performance/demo/fbank`, `results/federated/demo/fbank_fed_avg`, each with and without a slash at its end. A corpus
# that its authors write with a hyphen may be asked for so: `results/corpora/msp-improv`.

# What a user asks for. Intermediate files are listed too, so that a deleted one is made again.
FINALS = [
    *(Utterances.path, Rejected.path, Counts.path, CHOICES, OVERVIEW_FIGURE),
    AudioIndex.path,
    *(FoldTable.path, TRUST_SER_JSON, SplitOverview.path),
    *(Weights.path, Pretraining.path, PretrainingSpeakers.path, LOSS_FIGURE),
    *(FeatureIndex.path, IDENTITY, FrameIndex.path),
    *(Predictions.path, History.path, LayerWeights.path, RECIPE, CHECKPOINT),
    *(CURVES_FIGURE, LAYERS_FIGURE),
    *(Summary.path, RANKING_FIGURE, *COMPARED),
    *(
        RunSummary.path,
        PerClass.path,
        ConfusionCounts.path,
        CONFUSION_FIGURE,
        RATING_FIGURE,
        EVALUATED,
    ),
    *(FairnessSummary.path, SYSTEMS_FIGURE),
    *(Gaps.path, Groups.path, GroupRecalls.path, GroupConfusions.path, FoldGaps.path, AUDITED),
    *(GAPS_FIGURE, SPEAKERS_FIGURE, GROUPS_FIGURE),
    *([TRUST_SER_FAIRNESS] if CONFIG.fairness.parity else []),
    *(AttackSummary.path, ATTACK_SYSTEMS_FIGURE),
    *(AttackResult.path, AttackBreakdown.path, Attacked.path, ATTACK_MADE_OF),
    *(ATTACK_CURVE_FIGURE, ATTACK_GROUPS_FIGURE),
    *([AttackExamples.path, EXAMPLE_AUDIO, EXAMPLE_FIGURE] if EXAMPLES else []),
    *([TRUST_SER_ATTACK] if CONFIG.attack.parity else []),
    *(PrivacySummary.path, PRIVACY_SYSTEMS_FIGURE),
    *(PrivacyResult.path, PrivacyEmbedding.path, MemberLosses.path, EMBEDDING_MADE_OF),
    *([PrivacyLayers.path, LAYERS_MADE_OF, LEAKS_FIGURE] if READS_STATES else []),
    *([MembershipCurve.path, MEMBERSHIP_FIGURE] if READS_LOSSES else []),
    *([TRUST_SER_PRIVACY] if CONFIG.privacy.parity else []),
    *(RobustnessSummary.path, ROBUSTNESS_TESTS_FIGURE),
    *(RobustnessResult.path, ROBUSTNESS_CURVES_FIGURE, Disturbed.path, ROBUSTNESS_MADE_OF),
    *(CostSummary.path, CostTiming.path, JobTiming.path, PARETO_FIGURE),
    *(SystemCost.path, CostLengths.path, COUNTED, SystemTiming.path),
    *([TRUST_SER_COST] if CONFIG.cost.parity else []),
    *(TrustProfile.path, TrustAxes.path, RADAR_FIGURE, TRUST_LATEX, TRUST_MARKDOWN),
    *(TrustOverview.path, DATASETS_FIGURE, OVERVIEW_LATEX, OVERVIEW_MARKDOWN),
    ANSWERS,
]

ALIASES = {name: dataset.alias for name, dataset in DATASETS.items() if dataset.alias}
AT_HAND = [*plan_datasets.at_hand(DATASETS), *(name for name in FEDERATED if name not in DATASETS)]
TARGETS = folder_targets(
    [*final_files(FINALS), *finals_of_federations(), *finals_of_leakage()], AT_HAND, ALIASES
)

for target in TARGETS:
    for spelling in target.spellings():

        rule:
            name:
                spelling
            input:
                files_of(target),
            message:
                f"{target.name}: all is there"


# Any other folder is a slip, and is answered with what there is. Files have a dot in their names: they are not meant.
rule unknown_target:
    input:
        refuse_unknown,
    output:
        "{folder}",
    wildcard_constraints:
        folder=rf"{ROOT}((/[^/]+)*/[^/.]+)?",
