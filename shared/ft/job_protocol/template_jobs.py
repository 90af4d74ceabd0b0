"""Names of the template jobs of a workspace project, and of the scripts beside each other."""

FINE_TUNING = "Accel_Finetuning_Base_Job"
"""Trains with the studio's own trainer."""
AXOLOTL = "Finetuning_Base_Job"
"""Trains with other frameworks."""
EVALUATION = "Mlflow_Evaluation_Base_Job"
EXPORT = "Model_Export_Base_Job"
"""Older workspace projects do not have it; EXPORT_SCRIPT then runs in a copy of FINE_TUNING."""

FINE_TUNING_SCRIPT = "accel_fine_tune.py"
EXPORT_SCRIPT = "export.py"
SCRIPTS = {
    FINE_TUNING: FINE_TUNING_SCRIPT,
    AXOLOTL: "fine_tune.py",
    EVALUATION: "evaluate.py",
    EXPORT: EXPORT_SCRIPT,
}
"""Script of each template job. All lie in one folder."""
SERVING_SCRIPT = "predict.py"
"""Script of served models, in the same folder."""
SERVING_FUNCTION = "api_wrapper"
"""Function of SERVING_SCRIPT that answers a call."""
