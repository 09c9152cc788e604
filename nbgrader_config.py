"""nbgrader's settings: where the exercises come from, where the students' copies go, and what a copy says.

nbgrader reads this file when it is started in the project's root; TEACHING.md gives the commands.
"""

c = get_config()  # noqa: F821  (nbgrader puts it there)

c.CourseDirectory.course_id = "bertmini"
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "exercises"
c.ClearSolutions.code_stub = {"python": 'raise NotImplementedError("write your answer here")'}
c.ClearSolutions.text_stub = "*Write your answer here.*"
c.Execute.timeout = 120
c.OverwriteCells.add_missing_cells = True  # a test that a student has deleted comes back
